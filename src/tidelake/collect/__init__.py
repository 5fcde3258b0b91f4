"""An HTTP request becomes durable raw records, or a stated refusal.

A request goes through a *door* (one per wire format and route): its key is checked, its body is
read and decompressed within bounds, cut into records by slices, and appended to the inbox; 2xx is
answered only when the records are durable. What the records mean is judged later, in `process`.
"""

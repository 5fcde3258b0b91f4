-- Two questions of every cycle that else read all windows: half a million of them after a month.
create index windows_models on tidelake.windows (models);
create index windows_compacted on tidelake.windows (to_load_id) where compacted;
create index windows_next_models on tidelake.windows_next (models);
create index windows_next_compacted on tidelake.windows_next (to_load_id) where compacted;

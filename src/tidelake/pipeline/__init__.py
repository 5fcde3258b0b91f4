"""One file per thing that runs: reads settings, picks parts, hands over; joins the rooms."""

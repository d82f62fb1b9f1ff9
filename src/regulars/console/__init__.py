"""The console: everything that speaks HTTP. What the till asks of offers is in `api/`."""

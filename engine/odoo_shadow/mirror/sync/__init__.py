"""One model's run: window, pages, rows, deletions, watermark."""

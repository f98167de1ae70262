"""How fast a tap is, in ratios to what the database itself can do. ``docs/performance.md`` tells what came out."""

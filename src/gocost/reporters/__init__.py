"""The forms a report can take. All print the same `Report`; nothing else prints."""

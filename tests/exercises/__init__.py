"""The exercises of the book: what the answers say is what happens."""

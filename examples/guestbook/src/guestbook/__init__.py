"""A guestbook for a web site: visitors sign it, everybody reads it."""

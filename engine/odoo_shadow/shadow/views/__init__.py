"""What people query: comments, views with names, and views in `public`."""

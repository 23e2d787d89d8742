"""What people query: the catalogue with comments, named views, and views in `public`."""

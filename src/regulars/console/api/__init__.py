"""The till API, `/api/v1`: the documents are in `shapes`, the routes beside it, and `app` puts them together."""

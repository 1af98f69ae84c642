"""Other catalogues: how each is asked, and how what it says becomes datasets in CKAN's words."""

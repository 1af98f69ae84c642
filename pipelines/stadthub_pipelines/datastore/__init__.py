"""CKAN's DataStore over the tables of the lake: what feeds bring is a resource of it, what is pushed into it is a table with a past."""

"""The DataStore through its front door: CKAN's actions and addresses over a served hub."""

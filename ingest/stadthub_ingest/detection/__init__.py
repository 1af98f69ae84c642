"""What a sample is: its decoder, its notation, what each column means, what in it tells of people. Pure functions on bytes."""

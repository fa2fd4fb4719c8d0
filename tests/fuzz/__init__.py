"""Bad input at every door: a right answer or an error that says what is wrong."""

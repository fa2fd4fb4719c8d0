"""Features of beats, as columns by name: RR intervals, morphology."""

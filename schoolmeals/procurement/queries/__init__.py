"""Looking into tenders, scoped to the actor. What is not theirs to see is not found."""

"""The room's decisions: frozen facts in, a stage, a refusal or a plan out. One file for each subject."""

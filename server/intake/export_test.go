package intake

// SweepPause is sweepPause.
var SweepPause = sweepPause //nolint:gochecknoglobals // a function

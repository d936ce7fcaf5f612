package feed

// ViewedFrame is a frame of an event stream as EventSource hands it out: without comments and retry lines, which it keeps to
// itself, and with the id of the last frame that had one.
type ViewedFrame struct {
	// ID is the last id, Event the name, message where the frame has none, and Data the data.
	ID, Event, Data string
}

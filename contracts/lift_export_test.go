package contracts

// EventLift rewrites an event of one version as the next version writes it.
type EventLift = eventLift

// DecodeEventLifting is DecodeEvent with a table of lifts of the caller's.
func DecodeEventLifting(line []byte, lifts map[int]EventLift) (RunEvent, error) {
	var ev RunEvent
	if p := (unit{doc: line, pointer: rootPointer, lenient: true, lifts: lifts}).document(&ev); p != nil {
		return RunEvent{}, p
	}
	return ev, nil
}

// DecodeEngineEventLifting reads one line of an engine with a table of lifts of the caller's.
func DecodeEngineEventLifting(line []byte, lifts map[int]EventLift) (EngineEvent, error) {
	var ev EngineEvent
	if p := (unit{doc: line, pointer: rootPointer, lifts: lifts}).document(&ev); p != nil {
		return EngineEvent{}, p
	}
	return ev, nil
}

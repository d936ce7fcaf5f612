//go:build !js && !bootstrap

package contracts

// encodeSurely writes the values of which there are many, as encode would.
func encodeSurely(v any) ([]byte, bool) {
	var a appender
	switch v := v.(type) {
	case RunEvent:
		a.b = make([]byte, 0, roomFor(&v))
		appendRunEvent(&a, &v)
	case *RunEvent:
		if v == nil {
			return nil, false
		}
		a.b = make([]byte, 0, roomFor(v))
		appendRunEvent(&a, v)
	case Appended:
		start := a.begin()
		a.name(`,"seq":`)
		a.integer(int64(v.Seq))
		a.name(`,"events":`)
		appendList(&a, v.Events, func(ev RunEvent) { appendRunEvent(&a, &ev) })
		a.end(start)
	default:
		return nil, false
	}
	return a.b, !a.unsure
}

// roomFor returns about how many bytes an event takes, so that they are allocated once and few are left over.
func roomFor(ev *RunEvent) int {
	const envelope, body = 150, 90
	room := envelope + body + len(ev.Branch)
	switch d := ev.Data.(type) {
	case *TokenData:
		if d != nil {
			room += len(d.ID) + len(d.Delta)*17/16
		}
	case *ThoughtData:
		if d != nil {
			room += len(d.ID) + len(d.Delta)*17/16
		}
	default:
		room += 4 * body
	}
	return room
}

//go:build !bootstrap

package contracts

import "bytes"

// surely reads doc into v, which is zero, and reports whether that is what the reader and the rules would make of it.
// If not, v is zero again.
func surely[T any](s *scanner, v *T, scan func(*scanner, *T) bool) bool {
	if len(s.doc) <= sureBytes && scan(s, v) && s.end() && holds(v) {
		return true
	}
	*v = *new(T)
	return false
}

// holds reports whether a value obeys the rules between its fields.
func holds(v any) bool {
	c, ok := v.(crossChecked)
	if !ok {
		return true
	}
	if ev, ok := v.(*RunEvent); ok {
		if _, checked := ev.Data.(crossChecked); !checked {
			return true // such as a token: most events
		}
	}
	found := findings{silent: true}
	c.crossCheck(place{found: &found})
	return !found.broke
}

// sureEvents reads the events of a body that surely are as they should be: as lines, or as an array.
func sureEvents(body []byte) ([]EngineEvent, bool) {
	s := scanner{doc: body}
	s.skipSpace()
	if s.pos < len(body) && body[s.pos] == '[' {
		return s.sureArray()
	}
	lines := bytes.Count(body, []byte{'\n'}) + 1
	events := make([]EngineEvent, 0, min(lines, MaxBatchEvents))
	for at := s.pos; at < len(body); {
		end := len(body)
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if len(events) == MaxBatchEvents {
			return nil, false
		}
		s.doc, s.pos = body[at:end], 0
		at = int(spaceEnd(body, int64(end)))
		events = append(events, EngineEvent{})
		if s.depth = 0; !surely(&s, &events[len(events)-1], scanEngineEvent) {
			return nil, false
		}
	}
	if len(events) == 0 {
		return nil, false
	}
	return events, true
}

// sureArray is sureEvents for the elements of an array.
func (s *scanner) sureArray() ([]EngineEvent, bool) {
	var events []EngineEvent
	ok := scanList(s, &events, MaxBatchEvents, func(s *scanner, ev *EngineEvent) bool {
		start := s.pos
		return scanEngineEvent(s, ev) && s.pos-start <= sureBytes
	})
	if !ok || !s.end() || len(events) == 0 {
		return nil, false
	}
	return events, true
}

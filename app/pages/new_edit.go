package pages

import "axiom25/app/store"

// places are what is wrong as it was found here, or else by the server.
func (p *New) places() []store.Place {
	switch {
	case p.unchanged():
		return p.refusal.Places // nothing of it is sent
	case len(p.judgement.Places) > 0:
		return p.judgement.Places
	}
	return p.refusal.Places
}

// unchanged reports whether the run forks with its parent's task, which is not sent then.
func (p *New) unchanged() bool { return p.seq > 0 && p.text == p.origin && p.text != "" }

// resting says why the form cannot be used, or nothing.
func (p *New) resting() string {
	if p.loading {
		return "reading the run's task"
	}
	return p.unreadable()
}

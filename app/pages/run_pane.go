package pages

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// selectedEvent is what the pane shows of an event, read once and not with every rendering of the page.
type selectedEvent struct {
	log        *store.Log
	seq        contracts.Seq
	ev         contracts.RunEvent
	sent, gist string
	sound      bool // the receipt's hash is right
	mark       []byte
	calls      []parts.EventLink // the events with the mark
	scanned    contracts.Seq     // the last event that was looked at for it
}

// pane is the selected event, beside whatever view is shown.
func (p *Run) pane() app.UI {
	seq, log := p.view.Selected, p.run.Log
	if seq == 0 || log == nil {
		return app.Div().Hidden(true)
	}
	pane := &parts.EventPane{
		Page: contracts.LinksOf(p.id).Page, Seq: seq, Last: log.Last(), OnSelect: p.choose,
	}
	if seq > log.Last() {
		pane.Missing = fmt.Sprintf("This event has not come yet: the last one is %s.", parts.Grouped(int64(log.Last())))
		if p.run.Head.Done != nil {
			pane.Missing = fmt.Sprintf("There is no such event: the run ended with event %s.", parts.Grouped(int64(log.Last())))
		}
		return pane
	}
	brief := log.Brief(seq)
	pane.Time, pane.Type, pane.Branch = brief.Time, brief.Type, brief.Branch
	pane.Since = parts.SinceStart(brief.Time.Sub(log.Brief(1).Time))
	shown := &p.selected
	if !shown.read(log, seq) {
		p.missing(pane)
		return pane
	}
	pane.Sent, pane.Gist, pane.Links = shown.sent, shown.gist, append(shown.links(log), p.linksOf(&shown.ev)...)
	if end, ok := shown.ev.Data.(*contracts.ToolEndData); ok {
		pane.Receipt, pane.Sound = end.Receipt, shown.sound
	}
	return pane
}

// read reads an event of the log, unless it was the last one that was read. It reports whether its text is here.
func (e *selectedEvent) read(log *store.Log, seq contracts.Seq) bool {
	if e.log == log && e.seq == seq {
		return true
	}
	ev, ok := log.Event(seq)
	if !ok {
		return false
	}
	line, _ := log.Line(seq)
	*e = selectedEvent{
		log: log, seq: seq, ev: ev, sent: string(line), gist: parts.EventGist(&ev), mark: callMark(&ev),
	}
	if end, ok := ev.Data.(*contracts.ToolEndData); ok && end.Receipt != nil {
		e.sound = end.Receipt.Verify(end.Receipt.Prev)
	}
	return true
}

// callMark is what the events of the event's tool call have in their JSON; nil where the event is of no call. A call's id has
// no letters that JSON escapes.
func callMark(ev *contracts.RunEvent) []byte {
	call := ""
	switch d := ev.Data.(type) {
	case *contracts.ToolStartData:
		call = d.CallID
	case *contracts.ApprovalData:
		call = d.CallID
	case *contracts.ToolEndData:
		call = d.CallID
	case *contracts.ErrorData:
		call = d.CallID
	}
	if call == "" {
		return nil
	}
	return fmt.Appendf(nil, `"call_id":%q`, call)
}

// links are the other events of the event's tool call.
func (e *selectedEvent) links(log *store.Log) []parts.EventLink {
	if e.mark == nil {
		return nil
	}
	for ; e.scanned < log.Last(); e.scanned++ {
		other := e.scanned + 1
		title := ""
		switch log.Brief(other).Type {
		case contracts.EventToolStart:
			title = "the call starts"
		case contracts.EventApproval:
			title = "the decision about the call"
		case contracts.EventToolEnd:
			title = "the call ends"
		case contracts.EventError:
			title = "what went wrong with the call"
		case contracts.EventStatus, contracts.EventThought, contracts.EventToken, contracts.EventBudget, contracts.EventVerdict,
			contracts.EventDone:
		}
		if title == "" || other == e.seq {
			continue
		}
		if data, ok := log.Data(other); ok && bytes.Contains(data, e.mark) {
			e.calls = append(e.calls, parts.EventLink{Seq: other, Title: title})
		}
	}
	return slices.Clone(e.calls)
}

// missing says why the text of an event is not here.
func (p *Run) missing(pane *parts.EventPane) {
	again := p.run.Again
	switch {
	case again.From > 0:
		pane.Missing = "Its text is being read again."
	case again.Problem != nil:
		sentence, _ := parts.Trouble(again.Problem)
		pane.Missing = "Its text could not be read again: " + lowerFirst(sentence) + "."
		pane.OnRead = p.readSelected
	default:
		pane.Missing = "Its text is no longer kept here: the run is long."
		pane.OnRead = p.readSelected
	}
}

func (p *Run) readSelected(app.Context) { p.watch.ReadAgain(p.view.Selected) }

// linksOf are the events that belong to one beside those of its call.
func (p *Run) linksOf(ev *contracts.RunEvent) []parts.EventLink {
	var links []parts.EventLink
	message := func(id, title string) {
		for _, list := range [...][]store.Message{p.run.Fold.Drafts, p.run.Fold.Thoughts} {
			for i := range list {
				if m := &list[i]; m.ID == id && !m.Discarded && m.Seq != ev.Seq {
					links = append(links, parts.EventLink{Seq: m.Seq, Title: title})
				}
			}
		}
	}
	switch d := ev.Data.(type) {
	case *contracts.ThoughtData:
		message(d.ID, "where this thought begins")
	case *contracts.TokenData:
		message(d.ID, "where this answer begins")
	case *contracts.VerdictData:
		message(d.MessageID, "where the judged answer begins")
	case *contracts.DoneData:
		if d.VerdictSeq > 0 {
			links = append(links, parts.EventLink{Seq: d.VerdictSeq, Title: "the verdict that decided"})
		}
		message(d.MessageID, "where the answer begins")
	}
	return links
}

package pages

import (
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/document"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/contracts"
)

// taskView is what the run was asked.
type taskView struct {
	app.Compo

	// View is the run, and Drawn counts its renderings.
	View  *RunView
	Drawn uint64

	// text and task are what of was read as, once for each document.
	of   []byte
	text string
	task store.Task
	err  error
}

// Render implements app.Composer.
func (v *taskView) Render() app.UI {
	run := v.View.Run
	if run.Task == nil {
		return &parts.Notice{
			Tone: parts.ToneEmpty, Text: "The task is not known here.",
			Detail: "It is read from the server beside the stream; what the stream says of it is shown once it is there.",
		}
	}
	v.read(run.Task)
	f := &run.Fold
	return app.Div().Class("run-columns").Body(
		app.Section().Class("run-main").Aria("label", "Task").Body(
			app.Div().Class("panel").Body(
				app.Div().Class("panel-bar").Body(
					app.H2().Class("panel-title").Text("Task"),
					v.digest(f),
					app.Span().Class("panel-hint").Body(&parts.CopyButton{
						Label: "copy", Name: "Copy the task", Make: func() string { return string(v.View.Run.Task) },
					}),
				),
				app.Pre().Class("code code-whole").TabIndex(0).Text(v.text),
			),
		),
		app.Section().Class("run-side").Aria("label", "What the run is held to").Body(
			v.actions(f),
			v.budget(f),
			v.inputs(),
			v.tools(f),
			v.origin(f),
		),
	)
}

// read reads a document once.
func (v *taskView) read(task []byte) {
	if v.of != nil && &v.of[0] == &task[0] {
		return
	}
	v.of, v.text = task, document.Indented(string(task))
	v.task, v.err = store.ReadTask(task)
}

// digest says whether the document is the one that the first event names.
func (v *taskView) digest(f *store.Fold) app.UI {
	line := parts.CheckLine{Tone: contracts.CheckPass, Words: "digest checked here", Detail: parts.ShortDigest(f.Header.TaskDigest)}
	switch {
	case v.err != nil:
		line = parts.CheckLine{Tone: contracts.CheckFail, Words: "cannot be read: " + v.err.Error()}
	case v.task.Withheld:
		line = parts.CheckLine{
			Tone: contracts.CheckSkipped, Words: "digest not checked: sensitive inputs are shown without their content",
			Detail: parts.ShortDigest(f.Header.TaskDigest),
		}
	case v.task.Digest != f.Header.TaskDigest:
		line = parts.CheckLine{
			Tone: contracts.CheckFail, Words: "not the task that the first event names",
			Detail: fmt.Sprintf("%s here, %s there", parts.ShortDigest(v.task.Digest), parts.ShortDigest(f.Header.TaskDigest)),
		}
	}
	return &line
}

// actions lead on from here.
func (v *taskView) actions(f *store.Fold) app.UI {
	seq := f.LastSeq
	if v.View.Selected > 0 && v.View.Selected <= seq {
		seq = v.View.Selected
	}
	return app.Div().Class("actions").Body(
		app.A().Class("button", "button-primary").Href("/new?from="+v.View.Run.ID.String()).Text("Edit and run again"),
		&parts.ForkLink{Run: v.View.Run.ID, Seq: seq, Class: "button"},
	)
}

// budget is each limit beside where it comes from.
func (v *taskView) budget(f *store.Fold) app.UI {
	lines := budgetLines(f.Header.Profile, v.task.Budget, f.Limits)
	rows := make([]app.UI, 0, len(lines))
	for _, l := range lines {
		rows = append(rows, app.Tr().Body(
			app.Th().Scope("row").Text(l.name),
			app.Td().Text(l.effective),
			app.Td().Class("quiet").Text(l.profile),
			app.Td().Text(l.override),
		))
	}
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text("Budget"),
		app.Table().Class("table").Body(
			app.THead().Body(app.Tr().Body(
				app.Th().Scope("col").Text("limit"), app.Th().Scope("col").Text("in force"),
				app.Th().Scope("col").Text(orElse(string(f.Header.Profile), "profile")), app.Th().Scope("col").Text("override"),
			)),
			app.TBody().Body(rows...),
		),
	)
}

// inputs are the named materials, without their content: that stands in the document.
func (v *taskView) inputs() app.UI {
	rows := make([]app.UI, 0, len(v.task.Inputs))
	for _, in := range v.task.Inputs {
		rows = append(rows, app.Dt().Text(in.Name), app.Dd().Text(inputWords(in)))
	}
	return listed("Inputs", "The task has no inputs.", rows)
}

func inputWords(in store.TaskInput) string {
	var words string
	switch in.Kind {
	case "":
		words = "withheld"
	case "uri":
		words = in.URI
	default:
		words = in.Kind + ", " + parts.Bytes(int64(in.Bytes))
	}
	if in.MediaType != "" {
		words += ", " + in.MediaType
	}
	if in.Sensitive {
		words += ", sensitive"
	}
	return words
}

// tools are those that the run may call, with the definitions that were pinned when it began.
func (v *taskView) tools(f *store.Fold) app.UI {
	var rows []app.UI
	for _, ref := range slices.Sorted(maps.Keys(f.Header.Tools)) {
		digest := f.Header.Tools[ref]
		rows = append(rows, app.Dt().Text(ref), app.Dd().Title(string(digest)).Text("pinned "+parts.ShortDigest(digest)))
	}
	return listed("Tools", "The task allows no tools.", rows)
}

// origin is where the run comes from, and what its maker calls it.
func (v *taskView) origin(f *store.Fold) app.UI {
	rows := []app.UI{app.Dt().Text("version"), app.Dd().Text(fmt.Sprint(v.task.Version))}
	if from := f.Header.ForkedFrom; from != nil {
		rows = append(rows, app.Dt().Text("forked from"), app.Dd().Body(
			app.A().Class("link").Href(fmt.Sprintf("%s#e%d", contracts.LinksOf(from.RunID).Page, from.Seq)).
				Text(fmt.Sprintf("%s, event %d", from.RunID, from.Seq)),
		))
	}
	if f.Header.Traceparent != "" {
		rows = append(rows, app.Dt().Text("traceparent"), app.Dd().Text(f.Header.Traceparent))
	}
	for _, key := range slices.Sorted(maps.Keys(v.task.Labels)) {
		label := key + ":" + v.task.Labels[key]
		rows = append(rows, app.Dt().Text("label"), app.Dd().Body(
			app.A().Class("link").Href("/?label="+url.QueryEscape(label)).Title("All runs with this label").Text(label),
		))
	}
	return listed("Origin", "", rows)
}

// listed is a panel of facts, or of the words for none.
func listed(title, none string, rows []app.UI) app.UI {
	return app.Div().Class("panel").Body(
		app.H2().Class("panel-title").Text(title),
		app.If(len(rows) == 0, func() app.UI { return app.P().Class("quiet").Text(none) }).
			Else(func() app.UI { return app.Dl().Class("facts").Body(rows...) }),
	)
}

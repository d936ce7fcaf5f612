package pages

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/app/command"
	"axiom25/app/parts"
	"axiom25/app/store"
	"axiom25/docs/handbook"
)

// trial is a request of a route, as the reader wrote it, and what came of it.
type trial struct {
	route  *handbook.Route
	values map[string]string // of the parameters, by name
	body   string
	edits  int // counts the bodies that the editor is given

	asking  bool // the reader is asked whether to send what changes something
	sending bool
	done    bool
	answer  store.Trial
}

// openTrial prepares the example of the route that the address names.
func (p *Reference) openTrial() {
	book := p.manual.Book
	i := slices.IndexFunc(book.Routes, func(r handbook.Route) bool { return r.ID == p.anchor })
	if p.section != "api" || i < 0 {
		p.trial = trial{}
		return
	}
	if p.trial.route == &book.Routes[i] {
		return
	}
	t := trial{route: &book.Routes[i], values: make(map[string]string), edits: p.trial.edits + 1}
	for _, q := range t.route.Parameters {
		if q.In == "path" {
			t.values[q.Name] = q.Example
		}
	}
	if t.route.Body != nil {
		t.body = t.route.Body.Contents[0].Example
	}
	p.trial = t
}

// get is the method that only reads.
const get = "GET"

// request is what is sent.
func (t *trial) request() command.Request {
	path, query, header := t.route.Path, url.Values{}, map[string]string{}
	for _, q := range t.route.Parameters {
		value := t.values[q.Name]
		switch {
		case q.In == "path":
			path = strings.ReplaceAll(path, "{"+q.Name+"}", url.PathEscape(value))
		case value == "":
		case q.In == "query":
			query.Set(q.Name, value)
		default:
			header[q.Name] = value
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r := command.Request{Method: t.route.Method, Path: path, Header: header}
	if accept := t.accept(); accept != "" {
		header["Accept"] = accept
	}
	if t.route.Body != nil && (t.body != "" || !t.route.Body.Optional) {
		r.Body = []byte(t.body)
		header["Content-Type"] = t.route.Body.Contents[0].Media
	}
	return r
}

// accept is the media type of the route's success.
func (t *trial) accept() string {
	for _, a := range t.route.Answers {
		if len(a.Contents) > 0 {
			return a.Contents[0].Media
		}
	}
	return ""
}

// streams reports whether the route answers with an event stream, which the stream viewer shows.
func (t *trial) streams() bool { return t.accept() == "text/event-stream" }

// curl is the request as a line for a shell.
func (t *trial) curl(origin string) string {
	r := t.request()
	line := "curl -i"
	if t.streams() {
		line = "curl -N"
	}
	if r.Method != get {
		line += " -X " + r.Method
	}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		line += " -H " + quotedForShell(name+": "+r.Header[name])
	}
	if r.Body != nil {
		line += " --data-binary " + quotedForShell(string(r.Body))
	}
	return line + " " + quotedForShell(origin+r.Path)
}

func quotedForShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// api lists the routes by group; the one of the address is open.
func (p *Reference) api() app.UI {
	var panels []app.UI
	for _, g := range p.manual.Book.Groups {
		rows := []app.UI{app.Div().Class("panel-words").Body(prose(g.About))}
		for i := range p.manual.Book.Routes {
			r := &p.manual.Book.Routes[i]
			if r.Group != g.Name {
				continue
			}
			body := []app.UI{prose(r.Summary)}
			if r == p.trial.route {
				body = append(body, p.route(r)...)
			}
			rows = append(rows, p.item(r.ID, r.Method+" "+r.Path, r.ID, body...))
		}
		panels = append(panels, app.Div().ID("group-"+g.Name).Body(refPanel(g.Name, rows...)))
	}
	return app.Div().Class("run-main").Body(panels...)
}

// route shows all of a route, and its example.
func (p *Reference) route(r *handbook.Route) []app.UI {
	var body []app.UI
	for paragraph := range strings.SplitSeq(r.Description, "\n\n") {
		if paragraph != "" {
			body = append(body, prose(paragraph))
		}
	}
	if r.Body != nil {
		media := make([]string, len(r.Body.Contents))
		for i, c := range r.Body.Contents {
			media[i] = c.Media
		}
		optional := ""
		if r.Body.Optional {
			optional = " It may be left out."
		}
		body = append(body, app.H4().Text("Body"), prose(r.Body.About+optional+" `"+strings.Join(media, "`, `")+"`"))
	}
	body = append(body, app.H4().Text("Answers"))
	for _, a := range r.Answers {
		about := "`" + strconv.Itoa(a.Status) + "` " + a.About
		if len(a.Headers) > 0 {
			about += " `" + strings.Join(a.Headers, "` `") + "`"
		}
		body = append(body, prose(about))
		for _, c := range a.Contents {
			body = append(body, contentExample(c))
		}
	}
	body = append(body, app.P().Body(problemLinks(r.Problems)...))
	return append(body, p.example()...)
}

func contentExample(c handbook.Content) app.UI {
	var frames strings.Builder
	for _, f := range c.Frames {
		frames.WriteString("# " + f.Title + ". " + f.About + "\n" + f.Example + "\n")
	}
	text := c.Example + frames.String()
	if text == "" {
		return app.P().Class("quiet").Text(c.Media)
	}
	return &parts.Fold{Title: c.Media, Note: "an example", Text: text, Tone: "ref-example"}
}

func problemLinks(types []string) []app.UI {
	links := []app.UI{app.Text("Or a problem: ")}
	for _, t := range types {
		links = append(links, app.A().Class("ref-link").Href("/reference/problems#"+t).Text(t), app.Text(" "))
	}
	return links
}

// example is the request that can be sent.
func (p *Reference) example() []app.UI {
	t := &p.trial
	body := []app.UI{app.H4().Text("Try it")}
	if len(t.route.Parameters) > 0 {
		body = append(body, p.parameters())
	}
	if t.route.Body != nil {
		body = append(body, &parts.Editor{Label: "Body of the request", Text: t.body, Version: t.edits, Small: true, OnChange: p.bodyTyped})
	}
	curl := t.curl(app.Window().Get("location").Get("origin").String())
	body = append(body,
		app.Pre().Class("code").TabIndex(0).Aria("label", "The request for a shell").Text(curl),
		app.Div().Class("actions").Body(p.sendButtons(curl)...),
	)
	if !t.done {
		return body
	}
	return append(body, app.Div().Role("status").Body(t.outcome()...))
}

func (p *Reference) parameters() app.UI {
	var rows []app.UI
	for _, q := range p.trial.route.Parameters {
		rows = append(rows, app.Label().Class("ref-parameter").Body(
			app.Span().Body(app.Code().Text(q.Name), app.Span().Class("quiet").Text(" "+q.In+", "+strings.ReplaceAll(q.Type, "`", ""))),
			app.Input().Class("field").Type("text").Attr("autocomplete", "off").Spellcheck(false).
				DataSet("name", q.Name).Placeholder(q.Example).Value(p.trial.values[q.Name]).OnInput(p.parameterTyped),
			app.Span().Class("quiet").Text(q.About),
		))
	}
	return app.Div().Class("run-main").Body(rows...)
}

func (p *Reference) parameterTyped(ctx app.Context, _ app.Event) {
	field := ctx.JSSrc()
	p.trial.values[field.Get("dataset").Get("name").String()] = field.Get("value").String()
	p.trial.asking = false
}

func (p *Reference) bodyTyped(_ app.Context, text string) { p.trial.body, p.trial.asking = text, false }

func (p *Reference) sendButtons(curl string) []app.UI {
	t := &p.trial
	button := func(class, words string, do app.EventHandler) app.UI {
		return app.Button().Class("button", class).Type("button").Text(words).Disabled(t.sending).OnClick(do)
	}
	copyLine := &parts.CopyButton{Label: "Copy the line", Name: "Copy the request for a shell", Class: "button", Text: curl}
	switch {
	case t.streams():
		return []app.UI{app.A().Class("button").Href("/reference/stream").Text("Watch it in the stream viewer"), copyLine}
	case t.sending:
		return []app.UI{button("", "Sending", p.send), copyLine}
	case t.asking:
		return []app.UI{
			app.Span().Text("This changes something on the server."),
			button("button-danger", "Really send "+t.route.Method, p.send), button("button-quiet", "Do not send", p.doNotSend),
		}
	}
	return []app.UI{button("button-primary", "Send", p.ask), copyLine}
}

// ask sends a request that only reads, and asks about another one first.
func (p *Reference) ask(app.Context, app.Event) {
	if p.trial.route.Method != get {
		p.trial.asking = true
		return
	}
	p.sendNow()
}

func (p *Reference) doNotSend(app.Context, app.Event) { p.trial.asking = false }

func (p *Reference) send(app.Context, app.Event) { p.sendNow() }

func (p *Reference) sendNow() {
	t := p.trial.route
	p.trial.asking, p.trial.sending, p.trial.done = false, true, false
	store.Try(p.ctx, command.Client{}, p.trial.request(), func(_ app.Context, answer store.Trial) {
		if p.trial.route == t {
			p.trial.sending, p.trial.done, p.trial.answer = false, true, answer
		}
	})
}

// outcome shows the answer.
func (t *trial) outcome() []app.UI {
	r := t.answer.Response
	if t.answer.Err != nil {
		return []app.UI{&parts.Alert{Title: "No answer came", Detail: t.answer.Err.Error()}}
	}
	took := r.Received.Sub(r.Sent).Milliseconds()
	facts := []app.UI{app.Dt().Text("status"), app.Dd().Class("ref-status").Text(fmt.Sprintf("%d, after %d ms", r.Status, took))}
	names := make([]string, 0, len(r.Header))
	for name := range r.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		facts = append(facts, app.Dt().Text(name), app.Dd().Text(r.Header[name]))
	}
	shown := []app.UI{app.Dl().Class("facts").Body(facts...)}
	if len(r.Body) > 0 {
		shown = append(shown, app.Pre().Class("code", "ref-answer").TabIndex(0).Aria("label", "The answer's body").Text(t.pretty()))
	}
	return shown
}

// pretty is the answer's body, indented where it is one JSON value.
func (t *trial) pretty() string {
	body := t.answer.Response.Body
	if strings.Contains(t.answer.Response.Header["content-type"], "ndjson") || !strings.Contains(t.answer.Response.Header["content-type"], "json") {
		return string(body)
	}
	return parts.PrettyJSON(body)
}

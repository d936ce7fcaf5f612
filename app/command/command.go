// Package command sends the console's requests. It is the only place of the console that does; what a request
// changes comes back by the stream or with the next poll. Every method blocks, and is therefore called from a
// goroutine of its own, never from the one that draws.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"axiom25/app/feed"
	"axiom25/contracts"
)

// ErrUnreachable says that no answer came: the server is down, or the reader is offline.
var ErrUnreachable = errors.New("the server cannot be reached")

// timeout is how long a request may take.
const timeout = 15 * time.Second

// pollWait is how long the server may wait for an event before it answers that there is none.
const pollWait = 10 * time.Second

// Request is one HTTP request to the console's own server.
type Request struct {
	Method string
	// Path is the address without the origin, the query included.
	Path string
	// Header holds further header fields.
	Header map[string]string
	// Body is JSON, or nil.
	Body []byte
	// Static says that what stands at the address never changes, so that the browser may take what it has.
	Static bool
	// Asked are the names of the header fields that the Response is to have.
	Asked []string
}

// Response is the answer to a Request.
type Response struct {
	Status int
	Body   []byte
	// Header are the fields that were asked for and came.
	Header map[string]string
	// Date and RetryAfter are the header fields of these names; empty where there is none.
	Date, RetryAfter string
	// Sent and Received are when the browser sent the request and had the head of the answer, by its own clock.
	Sent, Received time.Time
}

// Fetch sends a request and returns the whole answer, whatever its status. The error says that none came.
type Fetch func(ctx context.Context, r Request) (Response, error)

// Client sends requests. Its zero value uses the browser's fetch.
type Client struct {
	Fetch Fetch
}

// RunsQuery says which runs to list.
type RunsQuery struct {
	// States are those wanted; all where empty.
	States []contracts.State
	// Labels are those that a run has to have, each as name:value.
	Labels []string
	// Text is what the goal or the id has to contain.
	Text string
	// Since and Until bound when a run was created, in RFC 3339; empty leaves an end open.
	Since, Until string
	// Before is the cursor of an older page.
	Before contracts.RunID
	// Limit is the most rows wanted; the server's default where 0.
	Limit int
}

// Runs lists runs, the newest first.
func (c Client) Runs(ctx context.Context, q RunsQuery) (contracts.RunList, error) {
	return get[contracts.RunList](ctx, c, q.on("/runs"))
}

// RunsAsSent is Runs with the answer as the server sent it.
func (c Client) RunsAsSent(ctx context.Context, q RunsQuery) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, q.on("/runs"))
}

// Stream is the address of the stream that shows these runs.
func (q RunsQuery) Stream() string { return q.on("/stream") }

// on returns a path with the query.
func (q RunsQuery) on(path string) string {
	v := url.Values{}
	for _, s := range q.States {
		v.Add("state", string(s))
	}
	for _, l := range q.Labels {
		v.Add("label", l)
	}
	for _, one := range [...]struct{ name, value string }{
		{"q", q.Text}, {"since", q.Since}, {"until", q.Until}, {"before", q.Before.String()},
	} {
		if one.value != "" {
			v.Set(one.name, one.value)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", fmt.Sprint(q.Limit))
	}
	if len(v) > 0 {
		path += "?" + v.Encode()
	}
	return path
}

// TaskHead is what a run was asked, with the part of it that is always shown.
type TaskHead struct {
	// Document is the TaskSpec as the server shows it: as it was sent, but without the content of sensitive inputs.
	Document []byte
	Goal     string
	// PassAt and RefuseBelow are the thresholds of the verification; 0 where the task has none.
	PassAt, RefuseBelow float64
}

// defaultPassAt is the default of VerifyContract.PassAt: the server hands a task out as it was sent.
const defaultPassAt = 0.8

// Events returns the events of a run behind a cursor as they were sent. Where there are none it waits for one, for as long as
// pollWait.
func (c Client) Events(ctx context.Context, id contracts.RunID, after contracts.Seq) (feed.Page, error) {
	return get[feed.Page](ctx, c, fmt.Sprintf("%s?after=%d&wait=%d", contracts.LinksOf(id).Events, after, pollWait.Milliseconds()))
}

// historyLimit is the most events that the server hands out in one page.
const historyLimit = contracts.MaxBatchEvents

// History returns the next events behind a cursor as they were sent, as many as a page may have, and waits for none.
func (c Client) History(ctx context.Context, id contracts.RunID, after contracts.Seq) (feed.Page, error) {
	return get[feed.Page](ctx, c, fmt.Sprintf("%s?after=%d&limit=%d", contracts.LinksOf(id).Events, after, historyLimit))
}

// Task returns what a run was asked.
func (c Client) Task(ctx context.Context, id contracts.RunID) (TaskHead, error) {
	document, err := get[json.RawMessage](ctx, c, contracts.LinksOf(id).Task)
	if err != nil {
		return TaskHead{}, err
	}
	head, err := headOf(document)
	if err != nil {
		return TaskHead{}, fmt.Errorf("the task of run %s: %w", id, err)
	}
	return head, nil
}

func headOf(document []byte) (TaskHead, error) {
	var task struct {
		Goal         string `json:"goal"`
		Verification *struct {
			PassAt      *float64 `json:"pass_at"`
			RefuseBelow float64  `json:"refuse_below"`
			Threshold   float64  `json:"refusal_threshold"` // RefuseBelow in version 1
		} `json:"verification"`
	}
	if err := json.Unmarshal(document, &task); err != nil {
		return TaskHead{}, err
	}
	head := TaskHead{Document: document, Goal: task.Goal}
	if v := task.Verification; v != nil {
		head.PassAt, head.RefuseBelow = max(defaultPassAt, v.Threshold), max(v.RefuseBelow, v.Threshold)
		if v.PassAt != nil {
			head.PassAt = *v.PassAt
		}
	}
	return head, nil
}

// Tools lists the catalogue.
func (c Client) Tools(ctx context.Context) (contracts.ToolList, error) {
	return get[contracts.ToolList](ctx, c, "/tools")
}

// Create posts a TaskSpec. The same key makes the same request again give the same run.
func (c Client) Create(ctx context.Context, task []byte, key string) (contracts.Created, error) {
	return do[contracts.Created](ctx, c, Request{
		Method: "POST", Path: "/runs", Body: task, Header: map[string]string{"Idempotency-Key": key},
	})
}

// Last returns the position of a run's last event.
func (c Client) Last(ctx context.Context, id contracts.RunID) (contracts.Seq, error) {
	run, err := get[struct {
		LastSeq contracts.Seq `json:"last_seq"`
	}](ctx, c, contracts.LinksOf(id).Self)
	return run.LastSeq, err
}

// Ask asks for nothing, for the sake of the answer's Date.
func (c Client) Ask(ctx context.Context) error {
	_, err := get[struct{}](ctx, c, "/healthz")
	return err
}

// Fork posts the request for a run that starts where another stood at an event; an empty task is the parent's. The key works
// as in Create; pointers of a problem that are about the task are those of task.
func (c Client) Fork(ctx context.Context, parent contracts.RunID, seq contracts.Seq, task []byte, key string) (contracts.Created, error) {
	body := fmt.Sprintf(`{"seq":%d}`, seq)
	if len(task) > 0 {
		body = fmt.Sprintf(`{"seq":%d,"task":%s}`, seq, task)
	}
	created, err := do[contracts.Created](ctx, c, Request{
		Method: "POST", Path: contracts.LinksOf(parent).Self + "/fork", Body: []byte(body), Header: map[string]string{"Idempotency-Key": key},
	})
	if problem, ok := errors.AsType[*contracts.Problem](err); ok {
		for i := range problem.Errors {
			e := &problem.Errors[i]
			if below, ok := strings.CutPrefix(e.Pointer, "#/task"); ok {
				e.Pointer, e.Offset = "#"+below, nil
			}
		}
	}
	return created, err
}

// Read returns the JSON at a path as it was sent.
func (c Client) Read(ctx context.Context, path string) (json.RawMessage, error) {
	return get[json.RawMessage](ctx, c, path)
}

// Cancel asks for the end of a run.
func (c Client) Cancel(ctx context.Context, id contracts.RunID) error {
	return c.post(ctx, contracts.LinksOf(id).Self+"/cancel", contracts.CancelRequest{})
}

// Decide answers a call that waits for a human.
func (c Client) Decide(ctx context.Context, run contracts.RunID, approval contracts.ApprovalID, d contracts.ApprovalDecision) error {
	return c.post(ctx, contracts.LinksOf(run).Self+"/approvals/"+url.PathEscape(approval.String()), d)
}

// post sends v and ignores what a success says.
func (c Client) post(ctx context.Context, path string, v any) error {
	body, err := contracts.Encode(v)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	_, err = do[json.RawMessage](ctx, c, Request{Method: "POST", Path: path, Body: body})
	return err
}

func get[T any](ctx context.Context, c Client, path string) (T, error) {
	return do[T](ctx, c, Request{Method: "GET", Path: path})
}

// do is send for an answer of one type. The work is not in here, since each type has its own copy of it.
func do[T any](ctx context.Context, c Client, r Request) (T, error) {
	var answer T
	err := c.send(ctx, r, &answer)
	return answer, err
}

// send sends r and reads the answer. The error is a *contracts.Problem where the server says what is wrong, and wraps
// ErrUnreachable where no answer came.
func (c Client) send(ctx context.Context, r Request, answer any) error {
	fetch := c.Fetch
	if fetch == nil {
		fetch = BrowserFetch
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := fetch(ctx, r)
	if err != nil {
		return errors.Join(ErrUnreachable, err)
	}
	if res.Status >= 400 {
		return refusalOf(res)
	}
	if len(strings.TrimSpace(string(res.Body))) == 0 {
		return nil
	}
	if err := json.Unmarshal(res.Body, answer); err != nil {
		return fmt.Errorf("%s %s was answered with something unreadable: %w", r.Method, r.Path, err)
	}
	return nil
}

// busy is the refusal of a server that wants to be left alone for a while.
type busy struct {
	*contracts.Problem
	wait time.Duration
}

// Unwrap makes it the problem that it is.
func (b busy) Unwrap() error { return b.Problem }

// RetryAfter is how long the server wants to be left alone.
func (b busy) RetryAfter() time.Duration { return b.wait }

// longestBusy is the longest that a server's wish is followed: who asks for more is thought to be mistaken.
const longestBusy = 10 * time.Minute

// RetryAfter reports whether a request was refused only for now (429 and 503), and how long the server wants to be left
// alone; 0 where it does not say.
func RetryAfter(err error) (wait time.Duration, ok bool) {
	if b, isBusy := errors.AsType[busy](err); isBusy {
		return b.wait, true
	}
	return 0, false
}

// refusalOf reads what a server has refused a request with.
func refusalOf(res Response) error {
	problem := problemOf(res)
	if res.Status != statusTooMany && res.Status != statusUnavailable {
		return problem
	}
	return busy{problem, min(retryAfter(res), longestBusy)}
}

// The statuses that stand for a while only (RFC 6585, section 4; RFC 9110, section 15.6.4). The constants of net/http would
// bring net/http with them.
const (
	statusTooMany     = 429
	statusUnavailable = 503
)

// dateLayout is the form of dates in HTTP (RFC 9110, section 5.6.7).
const dateLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// retryAfter reads Retry-After, which is a number of seconds or a date (RFC 9110, section 10.2.3); 0 where it is neither.
func retryAfter(res Response) time.Duration {
	if seconds, err := strconv.Atoi(res.RetryAfter); err == nil {
		return time.Duration(max(seconds, 0)) * time.Second
	}
	until, err := time.Parse(dateLayout, res.RetryAfter)
	date, dated := res.ServerTime()
	if err != nil || !dated {
		return 0
	}
	return max(until.Sub(date), 0)
}

// ServerTime is the Date of the answer, which is cut to the second.
func (r Response) ServerTime() (date time.Time, ok bool) {
	date, err := time.Parse(dateLayout, r.Date)
	return date, err == nil
}

// problemOf reads the problem document of a refusal, and makes one up where something other than the server
// itself, such as a proxy, has answered.
func problemOf(res Response) *contracts.Problem {
	var p contracts.Problem
	if err := json.Unmarshal(res.Body, &p); err == nil && p.Title != "" {
		return &p
	}
	return &contracts.Problem{
		Type: "about:blank", Title: fmt.Sprintf("The request was answered with status %d", res.Status), Status: res.Status,
	}
}

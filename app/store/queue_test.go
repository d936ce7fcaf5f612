package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"axiom25/app/command"
	"axiom25/app/shelf"
	"axiom25/app/store"
	"axiom25/contracts"
)

// fakeServer makes one run of each key, as the server does.
type fakeServer struct {
	mu      sync.Mutex
	away    bool
	drop    int // so many answers are lost
	status  int // of a refusal; 0 for none
	asked   []command.Request
	created map[string]contracts.RunID
}

func (f *fakeServer) fetch(_ context.Context, r command.Request) (command.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away {
		return command.Response{}, errors.New("no route")
	}
	f.asked = append(f.asked, r)
	if f.status != 0 {
		return command.Response{Status: f.status, Body: fmt.Appendf(nil, `{"type":"/problems/x","title":"No","status":%d}`, f.status)}, nil
	}
	key := r.Header["Idempotency-Key"]
	if f.created == nil {
		f.created = make(map[string]contracts.RunID)
	}
	if f.created[key] == "" {
		f.created[key] = contracts.RunID(fmt.Sprintf("run_%d", len(f.created)+1))
	}
	if f.drop > 0 {
		f.drop--
		return command.Response{}, errors.New("the connection was reset")
	}
	return command.Response{Status: http.StatusCreated, Body: fmt.Appendf(nil, `{"run_id":%q}`, f.created[key])}, nil
}

// clock is when the reader sends something: within synctest, the bubble's.
func clock() time.Time { return time.Now() } //nolint:forbidigo // what is tested compares with the clock itself

// tab is one tab's end of a queue; all tabs of a browser share the shelf and the lock.
func tab(s shelf.Shelf, f *fakeServer, lock *sync.Mutex) *store.Queue {
	return store.NewQueue(s, command.Client{Fetch: f.fetch}, func(do func()) {
		lock.Lock()
		defer lock.Unlock()
		do()
	}, func() {})
}

func submission(key string, at time.Time) store.Submission {
	return store.Submission{Key: key, Task: `{"goal":"` + key + `"}`, At: at}
}

func TestQueueSendsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f, kept := &fakeServer{away: true}, shelf.NewMemory()
		var lock sync.Mutex
		one, two := tab(kept, f, &lock), tab(kept, f, &lock)
		go one.Serve(ctx)
		go two.Serve(ctx)
		one.Add(ctx, submission("b", clock()))
		one.Add(ctx, submission("a", clock().Add(time.Second)))
		time.Sleep(time.Minute)
		list, err := two.List(ctx)
		if err != nil || len(list) != 2 || list[0].Key != "b" || !list[0].Delayed || !list[1].Waiting() {
			t.Fatalf("while the server is away: %+v, %v", list, err)
		}
		f.mu.Lock()
		f.away, f.drop = false, 1
		f.mu.Unlock()
		time.Sleep(time.Minute)
		list, _ = one.List(ctx)
		if len(list) != 2 || list[0].Created != "run_1" || list[1].Created != "run_2" {
			t.Errorf("when it is back: %+v", list)
		}
		if len(f.created) != 2 || len(f.asked) != 3 {
			t.Errorf("%d runs of %d requests, want 2 of 3: one answer was lost", len(f.created), len(f.asked))
		}
		time.Sleep(25 * time.Hour)
		one.Ring()
		synctest.Wait()
		if list, _ = one.List(ctx); len(list) != 0 {
			t.Errorf("a day later: %+v", list)
		}
		stop()
	})
}

func TestQueueSurvivesItsTab(t *testing.T) {
	t.Parallel()
	f, kept := &fakeServer{away: true}, shelf.NewMemory()
	var lock sync.Mutex
	first := tab(kept, f, &lock)
	first.Add(t.Context(), submission("a", clock()))
	if n := first.Drain(t.Context()); n != 1 {
		t.Errorf("%d wait", n)
	}
	f.away = false
	if n := tab(kept, f, &lock).Drain(t.Context()); n != 0 || len(f.created) != 1 {
		t.Errorf("%d wait, %d runs", n, len(f.created))
	}
}

func TestQueueTellsRefusalsFromDelays(t *testing.T) {
	t.Parallel()
	for status, waits := range map[int]bool{400: false, 404: false, 409: false, 410: false, 422: false, 429: true, 500: true, 502: true, 503: true} {
		f := &fakeServer{status: status}
		q := tab(shelf.NewMemory(), f, new(sync.Mutex))
		q.Add(t.Context(), submission("a", clock()))
		n := q.Drain(t.Context())
		list, _ := q.List(t.Context())
		if len(list) != 1 || list[0].Waiting() != waits || (n == 1) != waits || !waits && list[0].Refused.Status != status {
			t.Errorf("%d: %+v", status, list)
		}
	}
}

// TestQueueForks sends no task where a fork takes its parent's, and reads the pointers of a refusal as the task's.
func TestQueueForks(t *testing.T) {
	t.Parallel()
	f := &fakeServer{}
	q := tab(shelf.NewMemory(), f, new(sync.Mutex))
	q.Add(t.Context(), store.Submission{Key: "a", Parent: run, Seq: 7, At: clock()})
	q.Add(t.Context(), store.Submission{Key: "b", Parent: run, Seq: 7, Task: `{"goal":"g"}`, At: clock().Add(1)})
	q.Drain(t.Context())
	if len(f.asked) != 2 || !strings.HasSuffix(f.asked[0].Path, string(run)+"/fork") || string(f.asked[0].Body) != `{"seq":7}` ||
		string(f.asked[1].Body) != `{"seq":7,"task":{"goal":"g"}}` {
		t.Errorf("asked %+v", f.asked)
	}
	refuse := command.Client{Fetch: func(context.Context, command.Request) (command.Response, error) {
		return command.Response{Status: 422, Body: []byte(`{"type":"/problems/tool-unknown","title":"No","status":422,` +
			`"errors":[{"pointer":"#/task/allowed_tools/0","code":"tool.unknown","detail":"no"},{"pointer":"#/seq","code":"rule.lte","detail":"no"}]}`)}, nil
	}}
	_, err := refuse.Fork(t.Context(), run, 7, []byte(`{}`), "k")
	problem, ok := errors.AsType[*contracts.Problem](err)
	if !ok || problem.Errors[0].Pointer != "#/allowed_tools/0" || problem.Errors[1].Pointer != "#/seq" {
		t.Errorf("refused with %+v", err)
	}
}

// TestQueueWithoutAShelf sends what the browser would not keep.
func TestQueueWithoutAShelf(t *testing.T) {
	t.Parallel()
	f := &fakeServer{away: true}
	q := tab(&shelf.Memory{Broken: shelf.ErrUnavailable}, f, new(sync.Mutex))
	q.Add(t.Context(), submission("a", clock()))
	if n := q.Drain(t.Context()); n != 1 {
		t.Errorf("%d wait", n)
	}
	f.away = false
	q.Drain(t.Context())
	list, err := q.List(t.Context())
	if len(list) != 1 || list[0].Created != "run_1" || !errors.Is(err, shelf.ErrUnavailable) {
		t.Errorf("%+v, %v", list, err)
	}
	_ = q.Remove(t.Context(), "a") // the shelf is broken
	if list, _ = q.List(t.Context()); len(list) != 0 {
		t.Errorf("after it was removed: %+v", list)
	}
}

// TestQueueForgetsWhatIsRemovedOnItsWay does not bring back a submission that was taken out while it was under way.
func TestQueueForgetsWhatIsRemovedOnItsWay(t *testing.T) {
	t.Parallel()
	kept := shelf.NewMemory()
	var q *store.Queue
	q = store.NewQueue(kept, command.Client{Fetch: func(ctx context.Context, _ command.Request) (command.Response, error) {
		if err := q.Remove(ctx, "a"); err != nil {
			t.Error(err)
		}
		return command.Response{Status: 201, Body: []byte(`{"run_id":"run_1"}`)}, nil
	}}, func(do func()) { do() }, func() {})
	q.Add(t.Context(), submission("a", clock()))
	q.Drain(t.Context())
	if list, err := q.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestDraftsAreKept(t *testing.T) {
	t.Parallel()
	kept, now := shelf.NewMemory(), clock()
	for i := range 53 {
		d := store.Draft{ID: fmt.Sprintf("D%02d", i), Text: "{", Changed: now.Add(time.Duration(i) * time.Second), Parent: run, Seq: 3}
		if err := store.KeepDraft(t.Context(), kept, store.TaskDrafts, d); err != nil {
			t.Fatal(err)
		}
	}
	list, err := store.ListDrafts(t.Context(), kept, store.TaskDrafts)
	if err != nil || len(list) != 50 || list[0].ID != "D52" || list[49].ID != "D03" || list[0].Parent != run || list[0].Seq != 3 || list[0].Text != "{" {
		t.Errorf("%d drafts, %v", len(list), err)
	}
	if err := store.KeepDraft(t.Context(), &shelf.Memory{Limit: 1}, store.TaskDrafts, list[0]); !errors.Is(err, shelf.ErrFull) {
		t.Errorf("a full shelf gives %v", err)
	}
}

package timeline_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

// script builds the events of a run, at times that the test names.
type script struct {
	model timeline.Model
	seq   contracts.Seq
	now   contracts.Time
}

// begin is the time of every script's first event.
const begin = contracts.Time(1_000_000)

func (s *script) add(ms int64, branch contracts.Branch, data contracts.EventData) {
	s.seq++
	s.now = begin.Add(ms)
	s.model.Add(&contracts.RunEvent{Seq: s.seq, Time: s.now, Branch: branch, Type: data.EventType(), Data: data})
}

func (s *script) state(ms int64, state contracts.State) {
	s.add(ms, "", &contracts.StatusData{State: state})
}

func (s *script) think(ms int64, branch contracts.Branch, id string, final bool) {
	s.add(ms, branch, &contracts.ThoughtData{ID: id, Attempt: 1, Kind: contracts.ThoughtPlan, Final: final})
}

func (s *script) call(ms int64, branch contracts.Branch, id string, gate contracts.Gate) {
	s.add(ms, branch, &contracts.ToolStartData{CallID: id, Tool: "deploy@1.0.0", Attempt: 1, Gate: gate})
}

func (s *script) end(ms int64, branch contracts.Branch, id string, status contracts.CallStatus) {
	s.add(ms, branch, &contracts.ToolEndData{CallID: id, Status: status})
}

func (s *script) at() timeline.Moment { return timeline.Moment{Seq: s.seq, Time: s.now} }

func foldAll(contracts.Time) bool { return false }

// see draws the whole run into a window of a width.
func see(s *script, width float64, at timeline.Moment) (timeline.Clock, timeline.Scene) {
	p := s.model.PausesAt(at, foldAll)
	c := timeline.NewClock(p, timeline.Fit(p, 0, float64(at.Time.Sub(begin)), width), width)
	return c, s.model.See(c, timeline.Window{Width: width, Height: 10_000}, at)
}

func TestModel(t *testing.T) {
	t.Parallel()

	t.Run("a bar for each message, attempt, call and wait", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateQueued)
		s.state(10, contracts.StateRunning)
		s.think(20, "", "t", false)
		s.add(25, "", &contracts.ThoughtData{ID: "t", Attempt: 2, Kind: contracts.ThoughtPlan})
		s.think(30, "", "other", true)
		s.add(40, "", &contracts.ThoughtData{ID: "t", Attempt: 2, Kind: contracts.ThoughtPlan, Final: true})
		s.call(50, "", "c", contracts.GateAsk)
		s.state(51, contracts.StateWaiting)
		s.add(90, "", &contracts.ApprovalData{CallID: "c", Decision: contracts.DecisionApproved})
		s.state(91, contracts.StateRunning)
		s.end(99, "", "c", contracts.CallError)
		s.add(100, "", &contracts.TokenData{ID: "a", Attempt: 1, Channel: contracts.ChannelAnswer})
		s.add(120, "", &contracts.VerdictData{Outcome: contracts.OutcomePass, MessageID: "a"})
		s.call(121, "", "lost", contracts.GateAllow)
		s.add(130, "", &contracts.DoneData{Status: contracts.StateFailed})

		type bar struct {
			kind       timeline.Kind
			name       string
			start, end int64
			seq, close contracts.Seq
		}
		var got []bar
		for _, b := range s.model.Bars() {
			got = append(got, bar{b.Kind, b.Name, b.Start.Sub(begin), b.End.Sub(begin), b.Seq, b.EndSeq})
		}
		want := []bar{
			{timeline.Wait, "queued", 0, 10, 1, 2},
			{timeline.Thought, "plan", 20, 25, 3, 4},
			{timeline.Thought, "plan", 25, 40, 4, 6},
			{timeline.Thought, "plan", 30, 30, 5, 5},
			{timeline.Call, "deploy@1.0.0", 50, 99, 7, 11},
			{timeline.Wait, "waiting", 51, 91, 8, 10},
			{timeline.Answer, "answer", 100, 120, 12, 13},
			{timeline.Call, "deploy@1.0.0", 121, 130, 14, 15},
		}
		if !slices.Equal(got, want) {
			t.Errorf("bars\n%v, want\n%v", got, want)
		}
		if b := s.model.Bars(); !b[1].Discarded || b[2].Discarded {
			t.Error("the first attempt was discarded, and no other")
		}
		c := s.model.Bars()[4]
		for seq, want := range map[contracts.Seq]struct{ waited, end int64 }{7: {50, 50}, 8: {51, 51}, 9: {90, 90}, 10: {90, 91}, 15: {90, 99}} {
			at := timeline.Moment{Seq: seq, Time: begin.Add(map[contracts.Seq]int64{7: 50, 8: 51, 9: 90, 10: 91, 15: 130}[seq])}
			if waited, end := c.WaitedUntil(at).Sub(begin), c.EndAt(at).Sub(begin); waited != want.waited || end != want.end {
				t.Errorf("at event %d the call waited until %d and ends at %d, want %+v", seq, waited, end, want)
			}
			if c.Bad(at) != (seq == 15) {
				t.Errorf("at event %d the call is bad: %v", seq, c.Bad(at))
			}
		}
		var marks []string
		for _, k := range s.model.Marks() {
			marks = append(marks, k.Name)
		}
		if want := []string{"running", "running", "pass", "failed"}; !slices.Equal(marks, want) {
			t.Errorf("marks %v, want %v", marks, want)
		}
	})

	t.Run("pauses are where nothing was at work", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateQueued)
		s.state(1000, contracts.StateRunning)
		s.think(1010, "", "t", false) // 10 ms is no pause
		s.think(3000, "", "t", true)  // the thought was at work
		s.call(3500, "", "c", contracts.GateAsk)
		s.add(9000, "", &contracts.ApprovalData{CallID: "c", Decision: contracts.DecisionApproved})
		s.end(9900, "", "c", contracts.CallOK)
		var got [][2]int64
		for _, g := range s.model.Gaps() {
			got = append(got, [2]int64{g.From.Sub(begin), g.To.Sub(begin)})
		}
		if want := [][2]int64{{0, 1000}, {3000, 3500}, {3500, 9000}}; !slices.Equal(got, want) {
			t.Errorf("pauses %v, want %v", got, want)
		}
		live := timeline.Moment{Seq: s.seq, Time: begin.Add(60_000)}
		p := s.model.PausesAt(live, foldAll)
		c := timeline.NewClock(p, timeline.Fit(p, 0, 60_000, 1000), 1000)
		if c.Folds() != 2 || c.X(60_000)-c.X(9900) != timeline.NotchWidth {
			t.Errorf("a run that has been silent for 50 s has %d folds, and its silence is %v px", c.Folds(), c.X(60_000)-c.X(9900))
		}
	})
}

func TestClock(t *testing.T) {
	t.Parallel()

	t.Run("folds what is long for the window, and runs evenly elsewhere", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.think(2000, "", "t", true)
		s.think(602_000, "", "u", false)
		s.think(604_000, "", "u", true)
		c, scene := see(&s, 1048, s.at())
		if got := c.Width(); math.Abs(got-1048) > 1e-6 {
			t.Errorf("the run is %v px wide", got)
		}
		for ms, want := range map[float64]float64{0: 0, 1000: 250, 2000: 500, 302_000: 524, 602_000: 548, 603_000: 798, 604_000: 1048} {
			if got := c.X(ms); math.Abs(got-want) > 1e-6 {
				t.Errorf("%v ms stands at %v, want %v", ms, got, want)
			}
			if got := c.At(want); math.Abs(got-ms) > 1e-3 {
				t.Errorf("at %v stands %v ms, want %v", want, got, ms)
			}
		}
		if len(scene.Notches) != 1 || scene.Notches[0].X != 500 || scene.Notches[0].To.Sub(scene.Notches[0].From) != 600_000 {
			t.Errorf("notches %+v", scene.Notches)
		}
		kept := s.model.PausesAt(s.at(), func(from contracts.Time) bool { return from == begin.Add(2000) })
		if c := timeline.NewClock(kept, timeline.Fit(kept, 0, 604_000, 1048), 1048); c.Folds() != 0 || math.Abs(c.X(302_000)-524) > 1e-6 {
			t.Errorf("unfolded, there are %d folds and the middle stands at %v", c.Folds(), c.X(302_000))
		}
	})

	t.Run("never goes back, and inverts", func(t *testing.T) {
		t.Parallel()
		random := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test's
		for range 300 {
			var s script
			s.state(0, contracts.StateRunning)
			now := int64(0)
			for i := range 1 + random.IntN(20) {
				now += int64(math.Pow(10, random.Float64()*6))
				id := string(rune('a' + i))
				s.think(now, "", id, false)
				now += int64(math.Pow(10, random.Float64()*4))
				s.think(now, "", id, true)
			}
			width := 200 + random.Float64()*3000
			p, span := s.model.PausesAt(s.at(), foldAll), float64(now)
			scale := timeline.Fit(p, 0, span, width) * math.Pow(2, random.Float64()*8)
			c := timeline.NewClock(p, scale, width)
			last, lastMS := -1.0, -1.0
			for i := range 400 {
				ms := span * float64(i) / 399
				x := c.X(ms)
				if x < last || x == last && ms > lastMS {
					t.Fatalf("%v ms stands at %v, and %v ms before it at %v", ms, x, lastMS, last)
				}
				if back := c.At(x); math.Abs(back-ms) > 1e-6*span+1e-3 {
					t.Fatalf("%v ms stands at %v, where %v ms stands", ms, x, back)
				}
				last, lastMS = x, ms
			}
		}
	})

	t.Run("fits a part of the run", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.think(10_000, "", "t", true)
		p := s.model.PausesAt(s.at(), foldAll)
		if got := timeline.Fit(p, 2000, 4000, 1000); got != 0.5 {
			t.Errorf("2 s in 1000 px are %v px/ms", got)
		}
		if got := timeline.Fit(p, 2000, 2000, 1000); got != timeline.Finest {
			t.Errorf("nothing in 1000 px is %v px/ms", got)
		}
	})
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		span  int64
		width float64
		from  float64 // the share of the run that the window begins at
		want  []string
	}{
		{250, 600, 0, []string{"0 ms", "50 ms", "100 ms", "150 ms", "200 ms", "250 ms"}},
		{5000, 600, 0, []string{"0 s", "1 s", "2 s", "3 s", "4 s", "5 s"}},
		{5000, 1200, 0, []string{"0 ms", "500 ms", "1.0 s", "1.5 s", "2.0 s", "2.5 s", "3.0 s", "3.5 s", "4.0 s", "4.5 s", "5.0 s"}},
		{180_000, 400, 0, []string{"0 s", "1:00", "2:00", "3:00"}},
		{10_800_000, 400, 0, []string{"0 s", "1:00:00", "2:00:00", "3:00:00"}},
		{172_800_000, 500, 0, []string{"0 s", "12:00:00", "1 d 00:00", "1 d 12:00", "2 d 00:00"}},
		{61_000, 1_220_000, 0.99, []string{"1:00.390", "1:00.395"}},
	} {
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.think(test.span, "", "t", true)
		c := timeline.NewClock(s.model.PausesAt(s.at(), foldAll), test.width/float64(test.span), test.width)
		offset, window := test.from*test.width, test.width
		if test.from > 0 {
			window = 180
		}
		var got []string
		for _, tick := range c.Ticks(offset, window) {
			got = append(got, tick.Label)
			if x := c.X(float64(tick.MS)) - offset; x != tick.X || x < -1e-6 || x > window+1e-6 {
				t.Errorf("%s stands at %v, its time at %v", tick.Label, tick.X, x)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d ms in %v px: %q, want %q", test.span, test.width, got, test.want)
		}
	}
	t.Run("none stands in a fold, however long it is", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.think(100, "", "t", true)
		s.think(86_400_000, "", "u", false)
		s.think(86_400_100, "", "u", true)
		c, scene := see(&s, 1000, s.at())
		if c.Folds() != 1 || len(scene.Ticks) < 3 {
			t.Fatalf("%d folds, %d ticks", c.Folds(), len(scene.Ticks))
		}
		for _, tick := range scene.Ticks {
			if n := scene.Notches[0]; tick.X > n.X+1e-6 && tick.X < n.X+n.W-1e-6 {
				t.Errorf("%s stands at %v, in the fold at %v", tick.Label, tick.X, n.X)
			}
		}
	})
}

package timeline_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"axiom25/app/timeline"
	"axiom25/contracts"
)

func TestLanes(t *testing.T) {
	t.Parallel()
	var s script
	s.state(0, contracts.StateRunning)
	for i, b := range []contracts.Branch{"b", "a.x.deep", "b.y", "a", "b.x", "a.x", ""} {
		s.think(int64(i*10), b, string("m"+b), true)
	}
	_, scene := see(&s, 1000, s.at())
	type lane struct {
		branch contracts.Branch
		name   string
		depth  int
	}
	var got []lane
	for _, l := range scene.Lanes {
		got = append(got, lane{l.Branch, l.Name, l.Depth})
	}
	want := []lane{{"", "", 0}, {"b", "b", 0}, {"b.y", "y", 1}, {"b.x", "x", 1}, {"a", "a", 0}, {"a.x", "x", 1}, {"a.x.deep", "deep", 2}}
	if !slices.Equal(got, want) {
		t.Errorf("lanes\n%v, want\n%v", got, want)
	}
	_, before := see(&s, 1000, timeline.Moment{Seq: 3, Time: begin.Add(10)})
	if len(before.Lanes) != 3 {
		t.Errorf("at event 3 there are %d lanes, want the root, b and a.x.deep", len(before.Lanes))
	}
}

func TestBarsOfABranchDoNotLieUponEachOther(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's
	for range 50 {
		var s script
		s.state(0, contracts.StateRunning)
		now, open := int64(0), []string{}
		for i := range 200 {
			now += int64(random.IntN(5))
			if len(open) > 0 && random.IntN(2) == 0 {
				k := random.IntN(len(open))
				s.end(now, "b", open[k], contracts.CallOK)
				open = slices.Delete(open, k, k+1)
				continue
			}
			open = append(open, string(rune('a'+i)))
			s.call(now, "b", open[len(open)-1], contracts.GateAllow)
		}
		at, bars := s.at(), s.model.Bars()
		for i := range bars {
			for j := range i {
				if s.model.SameRow(i, j) && bars[j].EndAt(at) > bars[i].Start {
					t.Fatalf("bars %d and %d share a row and time", j, i)
				}
			}
		}
	}
}

// many is a run with n calls of 1 ms, one each 2 ms; each hundredth of them fails.
func many(n int) *script {
	s := &script{}
	s.state(0, contracts.StateRunning)
	for i := range n {
		status := contracts.CallOK
		if i%100 == 99 {
			status = contracts.CallError
		}
		s.call(int64(2*i), "", "c", contracts.GateAllow)
		s.end(int64(2*i+1), "", "c", status)
	}
	return s
}

func TestScene(t *testing.T) {
	t.Parallel()

	t.Run("draws what is too thin as one, and forgets none", func(t *testing.T) {
		t.Parallel()
		const n = 50_000
		s := many(n)
		_, scene := see(s, 1000, s.at())
		if len(scene.Boxes) > 500 {
			t.Errorf("%d boxes in 1000 px", len(scene.Boxes))
		}
		count, bad := 0, 0
		for i, b := range scene.Boxes {
			count, bad = count+b.Count, bad+b.Bad
			if b.Count > 1 && b.Tone != timeline.ToneDense {
				t.Errorf("%d bars look like %s", b.Count, b.Tone)
			}
			if i > 0 && b.X < scene.Boxes[i-1].X+scene.Boxes[i-1].W-1e-6 {
				t.Errorf("box %d begins at %v, before the last one ends", i, b.X)
			}
		}
		if count != n || bad != n/100 {
			t.Errorf("the boxes stand for %d bars, %d of them bad; want %d and %d", count, bad, n, n/100)
		}
	})

	t.Run("draws each bar alone where there is room, and none outside", func(t *testing.T) {
		t.Parallel()
		s := many(5000)
		c := timeline.NewClock(s.model.PausesAt(s.at(), foldAll), 10, 1000)
		w := timeline.Window{Offset: c.X(4000), Width: 1000, Height: 100}
		scene := s.model.See(c, w, s.at())
		if len(scene.Boxes) < 50 || len(scene.Boxes) > 53 {
			t.Errorf("%d boxes, want about 51", len(scene.Boxes))
		}
		for _, b := range scene.Boxes {
			if b.Count != 1 || b.X+b.W < -10 || b.X > 1010 {
				t.Errorf("a box of %d bars at %v, %v wide", b.Count, b.X, b.W)
			}
			bar := s.model.Bars()[b.Bar]
			if got := c.X(s.model.MS(bar.Start)) - w.Offset; b.X > 0 && math.Abs(got-b.X) > 1e-6 {
				t.Errorf("bar %d stands at %v, want %v", b.Bar, b.X, got)
			}
		}
	})

	t.Run("cuts what reaches out of the window", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.think(1_000_000, "", "t", true)
		c := timeline.NewClock(s.model.PausesAt(s.at(), foldAll), 20, 500)
		scene := s.model.See(c, timeline.Window{Offset: 5_000_000, Width: 500, Height: 100}, s.at())
		if len(scene.Boxes) != 1 || scene.Boxes[0].X < -50 || scene.Boxes[0].W > 600 {
			t.Errorf("boxes %+v", scene.Boxes)
		}
	})

	t.Run("draws the lanes that are in sight", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		for i := range 200 {
			b := contracts.Branch([]byte{'a' + byte(i/26), 'a' + byte(i%26)})
			s.think(int64(i), b, string(b), true)
		}
		p := s.model.PausesAt(s.at(), foldAll)
		scene := s.model.See(timeline.NewClock(p, 1, 500), timeline.Window{Width: 500, Top: 1000, Height: 300}, s.at())
		if len(scene.Lanes) > 15 || len(scene.Boxes) > 15 || len(scene.Lanes) < 10 {
			t.Errorf("%d lanes and %d boxes in 300 px", len(scene.Lanes), len(scene.Boxes))
		}
		for _, l := range scene.Lanes {
			if l.Y+l.H < 980 || l.Y > 1320 {
				t.Errorf("a lane at %v", l.Y)
			}
		}
		if scene.Height < 200*20 {
			t.Errorf("all lanes are %v px high", scene.Height)
		}
	})

	t.Run("shows nothing of what comes later", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.call(100, "", "c", contracts.GateAsk)
		s.add(200, "", &contracts.ApprovalData{CallID: "c", Decision: contracts.DecisionDenied})
		s.end(300, "", "c", contracts.CallDenied)
		s.call(400, "", "d", contracts.GateAllow)
		for seq, want := range map[contracts.Seq][]timeline.Tone{
			1: nil, 2: {timeline.ToneRunning}, 3: {timeline.ToneRunning}, 4: {timeline.ToneRefused}, 5: {timeline.ToneRefused, timeline.ToneRunning},
		} {
			at := timeline.Moment{Seq: seq, Time: begin.Add(int64(seq-1) * 100)}
			_, scene := see(&s, 1000, at)
			var got []timeline.Tone
			for _, b := range scene.Boxes {
				got = append(got, b.Tone)
			}
			if !slices.Equal(got, want) {
				t.Errorf("at event %d: %v, want %v", seq, got, want)
			}
		}
	})

	t.Run("a call that was only just asked about waits", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.call(1000, "", "c", contracts.GateAsk)
		_, scene := see(&s, 1000, s.at())
		if b := scene.Boxes[0]; b.W == 0 || b.Waited != b.W {
			t.Errorf("%v px of %v wait", b.Waited, b.W)
		}
	})

	t.Run("of marks at one place shows what matters most", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(0, "", "t", false)
		s.add(5000, "", &contracts.ErrorData{Problem: contracts.Problem{Title: "gone"}})
		s.add(5001, "", &contracts.VerdictData{Outcome: contracts.OutcomePass})
		s.add(10_000, "", &contracts.VerdictData{Outcome: contracts.OutcomeRevise})
		_, scene := see(&s, 1000, s.at())
		type mark struct {
			kind  timeline.MarkKind
			tone  timeline.Tone
			count int
		}
		var got []mark
		for _, k := range scene.Marks {
			got = append(got, mark{k.Kind, k.Tone, k.Count})
		}
		want := []mark{
			{timeline.StateMark, timeline.ToneRunning, 1},
			{timeline.ErrorMark, timeline.ToneFailed, 2},
			{timeline.VerdictMark, timeline.Tone(contracts.StateDraining), 1},
		}
		if !slices.Equal(got, want) {
			t.Errorf("marks %v, want %v", got, want)
		}
	})

	t.Run("finds what is pointed at", func(t *testing.T) {
		t.Parallel()
		var s script
		s.state(0, contracts.StateRunning)
		s.think(1000, "", "t", false)
		s.think(9000, "", "t", true)
		s.call(9500, "", "c", contracts.GateAllow)
		s.end(10_000, "", "c", contracts.CallOK)
		_, scene := see(&s, 1000, s.at())
		for _, want := range scene.Boxes {
			if box, mark := scene.Pointed(want.X+want.W/2, want.Y+5); mark != nil || box == nil || box.Bar != want.Bar {
				t.Errorf("in the middle of bar %d is %v, %v", want.Bar, box, mark)
			}
			if box, _ := scene.Pointed(want.X+want.W/2, want.Y+timeline.BarHeight+40); box != nil {
				t.Errorf("far below bar %d is %v", want.Bar, box)
			}
		}
		if box, mark := scene.Pointed(scene.Marks[0].X, scene.Marks[0].Y); mark == nil || box != nil || mark.Mark != 0 {
			t.Errorf("at the mark is %v, %v", box, mark)
		}
	})
}

func TestItems(t *testing.T) {
	t.Parallel()
	var s script
	s.state(0, contracts.StateQueued)                                        // 1 a wait
	s.state(5, contracts.StateRunning)                                       // 2 a mark
	s.think(10, "a", "t", false)                                             // 3 a bar
	s.think(20, "a", "t", false)                                             // 4
	s.call(30, "b", "c", contracts.GateAsk)                                  // 5 a bar
	s.add(40, "b", &contracts.ApprovalData{CallID: "c", Decision: "denied"}) // 6
	s.end(50, "b", "c", contracts.CallDenied)                                // 7
	s.add(60, "", &contracts.BudgetData{Phase: contracts.BudgetTick})        // 8
	s.add(70, "", &contracts.VerdictData{Outcome: contracts.OutcomePass})    // 9 a mark
	at := s.at()

	var forth, back []contracts.Seq
	for i := s.model.Next(0, at); i != timeline.None; i = s.model.Next(s.model.Seq(i), at) {
		forth = append(forth, s.model.Seq(i))
	}
	for i := s.model.Previous(100); i != timeline.None; i = s.model.Previous(s.model.Seq(i)) {
		back = append(back, s.model.Seq(i))
	}
	slices.Reverse(back)
	want := []contracts.Seq{1, 2, 3, 5, 9}
	if !slices.Equal(forth, want) || !slices.Equal(back, want) || s.model.Items(at) != len(want) {
		t.Errorf("forth %v, back %v, %d in all; want %v", forth, back, s.model.Items(at), want)
	}
	if i := s.model.Next(5, timeline.Moment{Seq: 8}); i != timeline.None {
		t.Errorf("at event 8, event 9 is %v", i)
	}
	for seq, want := range map[contracts.Seq]struct {
		typ    contracts.EventType
		branch contracts.Branch
		first  contracts.Seq
	}{
		1: {contracts.EventStatus, "", 1}, 3: {contracts.EventThought, "a", 3}, 4: {contracts.EventThought, "a", 3},
		6: {contracts.EventApproval, "b", 5}, 7: {contracts.EventToolEnd, "b", 5}, 8: {contracts.EventBudget, "", 0}, 9: {contracts.EventVerdict, "", 9},
	} {
		if got := s.model.Seq(s.model.Of(seq, want.typ, want.branch)); got != want.first {
			t.Errorf("event %d belongs to %d, want %d", seq, got, want.first)
		}
	}
	thought := s.model.Next(2, at)
	if got := s.model.Seq(s.model.Beside(thought, true, at)); got != 5 {
		t.Errorf("below the thought is %d, want the call", got)
	}
	if got := s.model.Seq(s.model.Beside(thought, false, at)); got != 1 {
		t.Errorf("above the thought is %d, want the wait", got)
	}
	if got := s.model.Beside(s.model.Next(0, at), false, at); got != timeline.None {
		t.Errorf("above the root is %v", got)
	}
}

func TestCurve(t *testing.T) {
	t.Parallel()
	var s script
	s.state(0, contracts.StateRunning)
	s.think(0, "", "t", false)
	for i := range 10_000 {
		s.add(int64(i+1), "", &contracts.BudgetData{Phase: contracts.BudgetTick, Used: contracts.Usage{TokensIn: int64(i + 1)}})
	}
	p := s.model.PausesAt(s.at(), foldAll)
	c, w := timeline.NewClock(p, 0.1, 1000), timeline.Window{Width: 1000, Height: 100}
	for _, test := range []struct{ limit, top int64 }{{20_000, 20_000}, {1_000_000, 10_000}, {0, 10_000}} {
		curve := s.model.Curve(c, w, s.at(), test.limit, timeline.Tokens)
		if curve.Used != 10_000 || curve.Top != test.top {
			t.Errorf("of %d: used %d, top %d", test.limit, curve.Used, curve.Top)
		}
		if n := len(curve.Points); n < 500 || n > 1010 {
			t.Errorf("%d points in 1000 px", n)
		}
		for i, p := range curve.Points {
			if want := p.X * 10 / float64(test.top); math.Abs(p.Y-want) > 20/float64(test.top) {
				t.Fatalf("point %d at %v is %v high, want about %v", i, p.X, p.Y, want)
			}
		}
	}
	half := s.model.Curve(c, w, timeline.Moment{Seq: 5002, Time: begin.Add(5000)}, 20_000, timeline.Tokens)
	if last := half.Points[len(half.Points)-1]; half.Used != 5000 || math.Abs(last.X-500) > 1e-6 || last.Y != 0.25 {
		t.Errorf("at half time %d are used, and the curve ends at %+v", half.Used, last)
	}
	if none := new(timeline.Model).Curve(c, w, timeline.Moment{}, 10, timeline.Tokens); len(none.Points) != 0 {
		t.Errorf("nothing was read, and the curve has %d points", len(none.Points))
	}
}

// BenchmarkSee draws a window of a run of 100 000 calls, and BenchmarkAdd folds a token.
func BenchmarkSee(b *testing.B) {
	s := many(100_000)
	for b.Loop() {
		see(s, 1200, s.at())
	}
}

func BenchmarkAdd(b *testing.B) {
	var s script
	s.state(0, contracts.StateRunning)
	data := &contracts.TokenData{ID: "a", Attempt: 1, Channel: contracts.ChannelAnswer}
	for b.Loop() {
		s.add(int64(s.seq), "", data)
	}
}

package parts_test

import (
	"errors"
	"testing"

	"axiom25/app/parts"
	"axiom25/contracts"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{parts.Count(0), "0"},
		{parts.Count(999), "999"},
		{parts.Count(1000), "1 k"},
		{parts.Count(5120), "5.1 k"},
		{parts.Count(128_000), "128 k"},
		{parts.Count(999_499), "999 k"},
		{parts.Count(999_500), "1 M"},
		{parts.Count(1_250_000), "1.2 M"},
		{parts.Duration(-5), "0 ms"},
		{parts.Duration(12), "12 ms"},
		{parts.Duration(1400), "1.4 s"},
		{parts.Duration(12_900), "12 s"},
		{parts.Duration(125_000), "2 min 5 s"},
		{parts.Duration(600_000), "10 min"},
		{parts.Duration(3_600_000), "1 h"},
		{parts.Duration(86_400_000), "1 d"},
		{parts.Duration(90_000_000), "1 d 1 h"},
		{parts.Age(10_000, 5_000), "5 s"},
		{parts.Age(0, 5_000), "0 s"},
		{parts.Age(7_300_000, 0), "2 h"},
		{parts.Age(400_000, 0), "6 min"},
		{parts.Age(3*86_400_000, 0), "3 d"},
		{parts.Money(0), "$0"},
		{parts.Money(1200), "$0.0012"},
		{parts.Money(1_000_000), "$1.00"},
		{parts.Bytes(512), "512 B"},
		{parts.Bytes(1234), "1.2 kB"},
		{parts.Bytes(3_400_000), "3.4 MB"},
		{parts.Score(0.625), "0.62"},
		{parts.ShortID("run_01m81tqkhryw3vmma10cpw1nqk"), "run_01m8…1nqk"},
		{parts.ShortID("short"), "short"},
		{parts.ShortDigest("sha256:0123456789abcdef"), "0123456789ab"},
		{parts.ShortDigest(""), ""},
		{parts.PrettyJSON([]byte(`{"a": 1}`)), `{"a":1}`},
		{parts.PrettyJSON([]byte(`not json`)), `not json`},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestGauges(t *testing.T) {
	t.Parallel()
	limits := contracts.ProfileLimits(contracts.ProfileBalanced)
	byName := func(used contracts.Usage) map[string]parts.Gauge {
		m := map[string]parts.Gauge{}
		for _, g := range parts.Gauges(used, limits) {
			m[g.Name] = g
		}
		return m
	}

	t.Run("a limit is reached where the reserve begins", func(t *testing.T) {
		t.Parallel()
		for tokens, want := range map[int64]parts.Level{
			1: parts.LevelCalm, 102_399: parts.LevelCalm, 102_400: parts.LevelWarned, 123_999: parts.LevelWarned, 124_000: parts.LevelReached,
		} {
			if g := byName(contracts.Usage{TokensIn: tokens})["tokens"]; g.Level != want {
				t.Errorf("%d tokens are %s, want %s", tokens, g.Level, want)
			}
		}
	})

	t.Run("a count that is used up is calm", func(t *testing.T) {
		t.Parallel()
		g := byName(contracts.Usage{ToolCalls: 64, Branches: 3, Reflections: 2})
		for _, name := range []string{"calls", "width", "reflections"} {
			if g[name].Level != parts.LevelCalm || g[name].Share != 1 {
				t.Errorf("%s: %+v", name, g[name])
			}
		}
	})

	t.Run("a limit of zero is neither reached nor divided by", func(t *testing.T) {
		t.Parallel()
		for _, g := range parts.Gauges(contracts.Usage{}, contracts.Limits{}) {
			if g.Share != 0 || g.Level != parts.LevelCalm {
				t.Errorf("%+v", g)
			}
		}
	})

	t.Run("the tightest is the one with the largest share", func(t *testing.T) {
		t.Parallel()
		gauges := parts.Gauges(contracts.Usage{TokensIn: 1, CostMicroUSD: 900_000, ToolCalls: 64}, limits)
		if g := parts.Tightest(gauges); g.Name != "cost" {
			t.Errorf("the tightest is %s", g.Name)
		}
	})
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	if s, d := parts.Trouble(contracts.NewProblem(contracts.ProblemNotFound, "no such run")); s != "There is nothing here" || d != "no such run" {
		t.Errorf("%q, %q", s, d)
	}
	if s, _ := parts.Trouble(errors.New("connection refused")); s != "The server cannot be reached" {
		t.Errorf("%q", s)
	}
}

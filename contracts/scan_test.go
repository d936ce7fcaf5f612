package contracts_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"axiom25/contracts"
)

// nearTexts returns texts that a rule takes, after a few changes.
func nearTexts(random *rand.Rand, n int) []string {
	bases := []string{
		"a", "names-saturn", "gen_1:a/b+c=d@e~f-g", "run_01kdy700000000000000000001", "apr_01kdy700000000000000000001",
		"sql_query", "sql_query@1.0.0", "a@10.20.30-rc.1+b", "1.0.0", "0.0.10", "a.b.c-1", "output", "usage", "usage#/a", "tool:t",
		"tool:t@1.0.0", "output#/a~1", "sha256:" + strings.Repeat("0a", 32), " ", "\t\u00a0\u2003", "\u3000x", "é",
		strings.Repeat("a", 64), strings.Repeat("a", 128), strings.Repeat("a.", 15) + "a", strings.Repeat("a.", 16) + "a",
	}
	alphabet := []rune("aZ09_-.:/+=@~#% \t\n\x00é\u2028g8")
	texts := []string{"", "@", "tool:", "..", "sha256:"}
	for range n {
		text := []rune(pick(random, bases))
		for range random.IntN(3) {
			at := random.IntN(len(text) + 1)
			switch random.IntN(3) {
			case 0:
				text = append(text[:at:at], append([]rune{pick(random, alphabet)}, text[at:]...)...)
			case 1:
				text = append(text[:at:at], text[min(at+1, len(text)):]...)
			case 2:
				if at < len(text) {
					text[at] = pick(random, alphabet)
				}
			}
		}
		texts = append(texts, string(text))
	}
	return texts
}

// TestQuickTextsMatch holds the loops against the patterns that they stand for.
func TestQuickTextsMatch(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 1)) //nolint:gosec // a fixed seed, so that a failure comes back
	texts := nearTexts(random, 20_000)
	for tag, quick := range contracts.QuickTexts() {
		yes, no := 0, 0
		for _, text := range texts {
			matches, takes := contracts.MatchesRule(tag, text), quick.Takes(text)
			switch {
			case takes && !matches:
				t.Errorf("%s takes %q", tag, text)
			case !takes && matches && quick.Whole:
				t.Errorf("%s does not take %q", tag, text)
			case matches:
				yes++
			default:
				no++
			}
		}
		if yes < 100 || no < 100 {
			t.Errorf("%s: %d texts match and %d do not: the texts are one-sided", tag, yes, no)
		}
	}
}

// TestUnescapeAgrees holds the reading of escapes against jsontext.
func TestUnescapeAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 2)) //nolint:gosec // a fixed seed, so that a failure comes back
	parts := []string{
		"a", "é", "𝄞", `\n`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\t`, `\u00e9`, `\u0000`, `\uFFFF`, `\ud834\udd1e`, `\uD834\uDD1E`, `\ud834`,
		`\udd1e`, `\udd1e\ud834`, `\ud834\u0041`, `\ud834\n`, `\x`, `\`, `\u12`, `\u12g4`, `\U0041`, `\v`, `"`,
		"\x00", "\x1f", "\x7f", "\xff", "\xc3", "\xa9", "\xed\xa0\x80", "\u2028",
	}
	valid := 0
	for range 50_000 {
		var inner strings.Builder
		for range random.IntN(4) {
			inner.WriteString(pick(random, parts))
		}
		raw := `"` + inner.String() + `"`
		want, err := jsontext.AppendUnquote(nil, raw)
		got, ok := contracts.ScanText(raw)
		if ok != (err == nil) || ok && got != string(want) {
			t.Fatalf("%q: got %q, %t, want %q, %v", raw, got, ok, want, err)
		}
		if ok {
			valid++
		}
	}
	if valid < 10_000 {
		t.Errorf("%d valid texts only", valid)
	}
}

// TestScanNumbersAgree holds the reading of numbers against the grammar and against what the reader makes of them.
func TestScanNumbersAgree(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 3)) //nolint:gosec // a fixed seed, so that a failure comes back
	parts := []string{"0", "1", "-", "+", ".", "e", "E", "9", "00", "12", "999999999999999", "9007199254740993", " ", "x", "5e-324", "1e400"}
	valid := 0
	for range 50_000 {
		var text strings.Builder
		for range 1 + random.IntN(5) {
			text.WriteString(pick(random, parts))
		}
		literal := strings.TrimSpace(text.String())
		isJSON := json.Valid([]byte(literal))
		if i, ok := contracts.ScanInteger(literal); ok {
			want, exact := contracts.ParseInteger([]byte(literal))
			if !isJSON || !exact || i != want {
				t.Errorf("integer %q: got %d, want %d, %t", literal, i, want, exact)
			}
			valid++
		}
		if f, ok := contracts.ScanNumber(literal); ok {
			want, exact := contracts.ParseNumber([]byte(literal))
			if !isJSON || !exact || f != want {
				t.Errorf("number %q: got %v, want %v, %t", literal, f, want, exact)
			}
			valid++
		}
	}
	if valid < 5_000 {
		t.Errorf("%d valid numbers only", valid)
	}
}

// TestQuickTimesAgree holds the reading and writing of times against the time package.
func TestQuickTimesAgree(t *testing.T) {
	check := func(text string) {
		t.Helper()
		want, err := contracts.ParseTime(text)
		got, ok := contracts.TimeOfText(text)
		if ok != (err == nil) || got != want {
			t.Errorf("%q: got %d, %t, want %d, %v", text, got, ok, want, err)
		}
		if ok {
			if written, err := want.MarshalJSON(); err != nil || contracts.AppendTime(got) != string(written) {
				t.Errorf("wrote %s, want %s", contracts.AppendTime(got), written)
			}
		}
	}
	for year := range 10_000 {
		for _, day := range []string{"02-28", "02-29", "03-01", "12-31", "01-01", "04-31", "13-01", "00-10", "10-00"} {
			check(fmt.Sprintf("%04d-%sT23:59:59.999Z", year, day))
		}
	}
	const text = "2026-01-02T03:04:05.678Z"
	random := rand.New(rand.NewPCG(25, 4)) //nolint:gosec // a fixed seed, so that a failure comes back
	for range 20_000 {
		b := []byte(text)
		for range 1 + random.IntN(2) {
			b[random.IntN(len(b))] = pick(random, []byte("0123456789-:.,TZt "))
		}
		check(string(b))
	}
	check("")
	check(text + "0")
}

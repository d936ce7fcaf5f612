package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"axiom25/contracts"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "old.json")
	const old = `{"schema_version":1,"goal":"g","inputs":{"note":"n"},"budget":{"time_s":60}}`
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	migrated := axiom25(t, "", "migrate", file)

	t.Run("prints the new document and says what changed", func(t *testing.T) {
		t.Parallel()
		const document = `{
  "schema_version": 2,
  "goal": "g",
  "inputs": [
    {
      "name": "note",
      "text": "n"
    }
  ],
  "budget": {
    "max_wall_ms": 60000
  }
}
`
		changes := strings.ReplaceAll(`FILE: #/schema_version -> #/schema_version: the version is 2
FILE: #/inputs/note -> #/inputs/0/text: an element of a list, with its name and its text
FILE: #/budget/time_s -> #/budget/max_wall_ms: renamed, in milliseconds
`, "FILE", file)
		if migrated.code != 0 || migrated.stdout != document || migrated.stderr != changes {
			t.Errorf("exit code %d\n%s\n%s", migrated.code, migrated.stdout, migrated.stderr)
		}
	})
	t.Run("and both are valid", func(t *testing.T) {
		t.Parallel()
		for _, doc := range []string{old, migrated.stdout} {
			if got := axiom25(t, doc, "validate", "-"); got.code != 0 || got.stdout != "-: valid taskspec\n" {
				t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
			}
		}
	})
	t.Run("prints a current document as it is", func(t *testing.T) {
		t.Parallel()
		const doc = `{ "schema_version":2, "max_tokens":5, "reserve_tokens":0 }`
		if got := axiom25(t, doc, "migrate", "-"); got.code != 0 || got.stdout != doc || got.stderr != "" {
			t.Errorf("exit code %d\n%s\n%s", got.code, got.stdout, got.stderr)
		}
	})
	t.Run("prints a document that is too large with indentation without it", func(t *testing.T) {
		t.Parallel()
		doc := `{"schema_version":1,"goal":"g","inputs":{"a":[` + strings.Repeat("0,", 200_000) + `0]}}`
		got := axiom25(t, doc, "migrate", "-")
		if got.code != 0 || len(got.stdout) > len(doc)+50 {
			t.Fatalf("exit code %d, %d bytes of %d\n%s", got.code, len(got.stdout), len(doc), got.stderr)
		}
		if err := contracts.Validate(contracts.KindTaskSpec, []byte(got.stdout)); err != nil {
			t.Error(err)
		}
	})

	t.Run("writes the version before for those who read no later one", func(t *testing.T) {
		t.Parallel()
		got := axiom25(t, migrated.stdout, "migrate", "-", "--contracts-version", "1")
		const document = `{
  "schema_version": 1,
  "goal": "g",
  "inputs": {
    "note": "n"
  },
  "profile": "balanced",
  "budget": {
    "time_s": 60
  }
}
`
		const changes = `-: #/schema_version -> #/schema_version: as version 1 has it
-: #/inputs/0/text -> #/inputs/note: as version 1 has it
-: #/budget/max_wall_ms -> #/budget/time_s: as version 1 has it
`
		if got.code != 0 || got.stdout != document || got.stderr != changes {
			t.Errorf("exit code %d\n%s\n%s", got.code, got.stdout, got.stderr)
		}
		if again := axiom25(t, old, "migrate", "-", "--contracts-version", "1"); again.code != 0 || again.stdout != old || again.stderr != "" {
			t.Errorf("a document of version 1: exit code %d\n%s\n%s", again.code, again.stdout, again.stderr)
		}
	})

	cases := map[string]struct {
		stdin  string
		args   []string
		code   int
		stderr string
	}{
		"what is not valid":       {"{\"schema_version\": 1,\n \"tokens\": 0}", []string{"-"}, 2, "-:2:12: #/tokens: must be at least 1 (rule.gte)\n"},
		"a version unheard of":    {`{"schema_version":9,"goal":"g"}`, []string{"-"}, 2, "-:1:19: #/schema_version: must be one of the supported versions (unsupported_version); supported: 1 2\n"},
		"what cannot be told":     {`{"schema_version":1}`, []string{"-"}, 1, "axiom25: -: cannot tell the contract; name it with --contract\n"},
		"what would be lost":      {"{\"schema_version\": 2,\n \"max_wall_ms\": 1500, \"warn_pct\": 50}", []string{"-", "--contracts-version", "1"}, 1, "-:2:17: #/max_wall_ms: version 1 cannot say this: it counts whole seconds (version_loss)\n-:2:35: #/warn_pct: version 1 cannot say this: it has no such member (version_loss)\n"},
		"what is not valid there": {`{"schema_version":2,"max_tokens":0}`, []string{"-", "--contracts-version", "1"}, 2, "-:1:34: #/max_tokens: must be at least 1 (rule.gte)\n"},
		"a version to come":       {`{"schema_version":2}`, []string{"-", "--contract", "budget", "--contracts-version", "3"}, 1, "axiom25: --contracts-version: want 1 or 2\n"},
		"no contract":             {`{"schema_version":1}`, []string{"-", "--contract", "memo"}, 1, "axiom25: --contract: want one of taskspec, budget, verifycontract, toolspec\n"},
		"what never had versions": {`{"seq":1,"run_id":"x"}`, []string{"-"}, 1, "axiom25: -: there is no older version of a runevent\n"},
		"two files":               {"", []string{"a", "b"}, 1, "axiom25: accepts 1 arg(s), received 2\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := axiom25(t, c.stdin, append([]string{"migrate"}, c.args...)...)
			if got.code != c.code || got.stdout != "" || got.stderr != c.stderr {
				t.Errorf("exit code %d, want %d\n%q\n%q", got.code, c.code, got.stderr, got.stdout)
			}
		})
	}
	t.Run("told by flag or environment", func(t *testing.T) {
		t.Parallel()
		for _, got := range []said{
			axiom25(t, `{"schema_version":1}`, "migrate", "-", "--contract", "budget"),
			start(t, `{"schema_version":1}`, []string{"AXIOM25_CONTRACT=budget"}, "migrate", "-").end(t),
		} {
			if got.code != 0 || got.stdout != "{\n  \"schema_version\": 2\n}\n" {
				t.Errorf("exit code %d\n%s%s", got.code, got.stdout, got.stderr)
			}
		}
	})
}

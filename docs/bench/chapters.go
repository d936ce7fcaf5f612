package main

import (
	"slices"
	"strings"
)

// chapter is a part of the page, with its own run.
type chapter struct {
	// name is what `make bench BENCH=` takes, and the file of its results.
	name string
	// title and about stand above its table.
	title, about string
	suites       []suite
}

// suite is what one package measures.
type suite struct {
	// folder holds the package, from the root of the repository.
	folder string
	// flags are added to go test.
	flags []string
	rows  []row
	// unshown are benchmarks that run with the others and that no row shows, with /* for all of a family.
	unshown []string
}

// row is a line of the page.
type row struct {
	// work says what is measured.
	work string
	// benchmark is a name as the testing package prints it, without the number of processors; with /* at its end the
	// greatest of a family. unit is one of its units.
	benchmark, unit string
	// floor is the benchmark beside which it stands, and floorUnit one of its units where that differs.
	floor, floorUnit string
	goal             goal
	// why says, where the goal is missed, what the figure consists of.
	why string
}

// functions returns the benchmark functions of the suite, each once.
func (s suite) functions() []string {
	var list []string
	seen := make(map[string]bool)
	add := func(name string) {
		function, _, _ := strings.Cut(name, "/")
		if function != "" && !seen[function] {
			seen[function] = true
			list = append(list, function)
		}
	}
	for _, r := range s.rows {
		add(r.benchmark)
		add(r.floor)
	}
	for _, name := range s.unshown {
		add(name)
	}
	return list
}

// tells reports whether a row tells of a benchmark, or none needs to.
func (s suite) tells(name string) bool {
	is := func(pattern string) bool {
		family, isFamily := strings.CutSuffix(pattern, "*")
		return pattern == name || isFamily && strings.HasPrefix(name, family)
	}
	return slices.ContainsFunc(s.unshown, is) ||
		slices.ContainsFunc(s.rows, func(r row) bool { return is(r.benchmark) || is(r.floor) })
}

// chapters is the table of all that is measured.
func chapters() []chapter {
	return []chapter{
		{
			name: "contracts", title: "Contracts",
			about: "Reading documents and holding them to every rule, as the server does. The floor is `encoding/json`, which parses and " +
				"judges nothing.",
			suites: []suite{contractsSuite(), verdictSuite(), runstateSuite()},
		},
		{
			name: "journal", title: "Journal",
			about: "Durable appends to the embedded journal: an operation returns when its events are on disk. The floor writes the same bytes " +
				"to a plain file and syncs it once for all producers that wait, as the journal does.",
			suites: []suite{journalSuite()},
		},
		{
			name: "cluster", title: "Journal of many nodes",
			about: "The same on JetStream, with every acknowledged write synced; all nodes share the disk and the cores of one machine. The floor " +
				"publishes the same bytes to a stream and waits for the acknowledgement.",
			suites: []suite{clusterSuite()},
		},
		{
			name: "stream", title: "Streams",
			about: "Viewers of runs, in one process with the readers, over loopback. The floor of a delivery is a bare loop that writes the same " +
				"frames to as many connections, that of a replay copies the same bytes, and that of an idle viewer is a handler that only waits.",
			suites: []suite{fanoutSuite(), streamSuite()},
		},
		{
			name: "browser", title: "Console",
			about: "The console as it is shipped, in headless Chromium: its own measures of how long it takes to judge a TaskSpec of 1.5 kB, " +
				"which stand in the browser's timeline under `validate taskspec`. The floor is the browser's own `JSON.parse` of the same text. " +
				"When a page with an editor is opened, the console readies its rules in pieces, each when the browser is idle, before the reader has " +
				"typed anything; what that takes is listed too, since a reader who types at once waits for what is left of it.",
			suites: []suite{consoleSuite(), consoleLiveSuite(), timelineSuite()},
		},
		{
			name: "load", title: "Server under load",
			about:  "Over HTTP on loopback; the generator runs on another core than the server and checks for gaps and repeats while it measures.",
			suites: []suite{loadSuite()},
		},
	}
}

func contractsSuite() suite {
	return suite{
		folder: "contracts",
		flags:  []string{"-benchtime", "300ms"}, // there are many
		rows: []row{
			{
				work: "a valid TaskSpec of 1.5 kB", benchmark: "BenchmarkDecodeTaskSpec/axiom25", unit: "ns/op",
				floor: "BenchmarkDecodeTaskSpec/encoding_json", goal: atMostFloor(1),
			},
			{
				work: "the same, where the quick path is not sure", benchmark: "BenchmarkDecodeTaskSpec/full", unit: "ns/op",
				floor: "BenchmarkDecodeTaskSpec/encoding_json",
			},
			{
				work:      "a TaskSpec with 20 problems, all of them found; the floor is the one without, where the quick path is not sure",
				benchmark: "BenchmarkInvalid/20_problems", unit: "ns/op", floor: "BenchmarkInvalid/valid_full", goal: atMostFloor(5),
			},
			{
				work: "the dearest of the hostile documents of 1 MiB", benchmark: "BenchmarkHostile/*", unit: "ns/op", goal: atMost(20e6),
				why: "It is one of 34 tool schemas, each of which is parsed, compiled and walked; nothing bounds their sum but the document's size. " +
					"Free JSON full of numbers that must be looked at digit by digit takes 25 to 50 ms.",
			},
			{work: "the dearest of the hostile batches of 4 MiB", benchmark: "BenchmarkHostileBatch/*", unit: "ns/op"},
			{
				work: "a token that an engine reports, alone", benchmark: "BenchmarkDecodeEngineEvents/axiom25_1", unit: "ns/op",
				floor: "BenchmarkDecodeEngineEvents/encoding_json_1",
			},
			{
				work: "20 tokens in a request", benchmark: "BenchmarkDecodeEngineEvents/axiom25_20", unit: "ns/op",
				floor: "BenchmarkDecodeEngineEvents/encoding_json_20",
			},
			{
				work: "1000 tokens in a request", benchmark: "BenchmarkDecodeEngineEvents/axiom25_1000", unit: "ns/op",
				floor: "BenchmarkDecodeEngineEvents/encoding_json_1000",
			},
			{
				work:      "reading a stored token; the floor is the path that decides where the quick one is not sure",
				benchmark: "BenchmarkDecodeEvent/token/axiom25", unit: "ns/op", floor: "BenchmarkDecodeEvent/token/full",
			},
			{
				work: "writing a token as it is stored", benchmark: "BenchmarkEncodeEvent/token/axiom25", unit: "ns/op",
				floor: "BenchmarkEncodeEvent/token/encoding_json",
			},
			{work: "compiling a tool's JSON Schema", benchmark: "BenchmarkCompileSchema/tool", unit: "ns/op"},
		},
		unshown: []string{"BenchmarkDecodeEngineEvents/full_*", "BenchmarkDecodeEvent/*", "BenchmarkEncodeEvent/*"},
	}
}

func verdictSuite() suite {
	return suite{
		folder: "contracts/verdict",
		rows: []row{
			{work: "judging an answer by three assertions", benchmark: "BenchmarkJudge", unit: "ns/op"},
			{work: "the dearest judgement that the contracts allow", benchmark: "BenchmarkWorst/*", unit: "ns/op"},
		},
	}
}

func runstateSuite() suite {
	return suite{
		folder: "contracts/runstate",
		rows: []row{
			{work: "folding a token into a run's state", benchmark: "BenchmarkApplyToken/plain", unit: "ns/op"},
			{
				work: "the same with undo, 100 tokens an append", benchmark: "BenchmarkApplyToken/recorded_by_100", unit: "ns/op",
				floor: "BenchmarkApplyToken/plain",
			},
			{work: "folding an event of a tool call", benchmark: "BenchmarkApplyCall", unit: "ns/op"},
		},
		unshown: []string{"BenchmarkApplyToken/*", "BenchmarkTranscriptToken"},
	}
}

func journalSuite() suite {
	const unit = "events/s"
	appendRow := func(work, name string, g goal) row {
		return row{
			work: work, benchmark: "BenchmarkAppend/" + name + "/journal", unit: unit, floor: "BenchmarkAppend/" + name + "/floor", goal: g,
			why: "What is written once to a plain file is written twice to a database: by profile a third of the writer's time goes to the write-ahead " +
				"log, a quarter to copying it into the database, and a sixth to inserting the chunks that settle. The floor's fsync is shared by so many " +
				"bytes here that nothing else is left of it.",
		}
	}
	const pruning = "BenchmarkAppendWhilePruning/pruning="
	return suite{
		folder: "server/journal/sqlitejournal",
		rows: []row{
			appendRow("1 producer, 1 event an append", "1x1", goal{}),
			appendRow("1 producer, 20 events an append", "1x20", goal{}),
			appendRow("32 producers, 1 event an append", "32x1", atLeastFloor(0.5)),
			appendRow("32 producers, 20 events an append", "32x20", atLeastFloor(0.5)),
			appendRow("256 producers, 1 event an append", "256x1", goal{}),
			appendRow("256 producers, 20 events an append", "256x20", goal{}),
			{
				work: "the slowest in a hundred appends while runs are pruned; the floor is without pruning", benchmark: pruning + "true", unit: "p99-us",
				floor: pruning + "false",
			},
			{
				work: "opening a journal of 1 000 000 events in 100 000 runs, and its first lists", benchmark: "BenchmarkOpen/1M_events_100k_runs",
				unit: "ns/op", goal: atMost(1e9),
			},
			{work: "a page of its newest runs", benchmark: "BenchmarkList/first", unit: "ns/op"},
			{work: "of those that go on", benchmark: "BenchmarkList/live", unit: "ns/op"},
			{work: "of those with a label", benchmark: "BenchmarkList/label", unit: "ns/op"},
			{work: "of those with a text that none has, which looks at all", benchmark: "BenchmarkList/text_nowhere", unit: "ns/op"},
			{work: "the last events of a run of 100 000", benchmark: "BenchmarkReadTail", unit: "ns/op"},
		},
		unshown: []string{"BenchmarkList/*", "BenchmarkVerify"},
	}
}

func clusterSuite() suite {
	appendRow := func(work, name string) row {
		return row{work: work, benchmark: "BenchmarkAppend/" + name + "/journal", unit: "events/s", floor: "BenchmarkAppend/" + name + "/floor"}
	}
	return suite{
		folder: "server/journal/natsjournal",
		rows: []row{
			appendRow("one node, 1 producer, 1 event an append", "R1_1x1"),
			appendRow("one node, 32 producers, 1 event an append", "R1_32x1"),
			appendRow("one node, 32 producers, 20 events an append", "R1_32x20"),
			appendRow("three nodes, 1 producer, 1 event an append", "R3_1x1"),
			appendRow("three nodes, 32 producers, 1 event an append", "R3_32x1"),
			appendRow("three nodes, 32 producers, 20 events an append", "R3_32x20"),
			{work: "reading the end of a run, three nodes, 1 reader", benchmark: "BenchmarkRead/R3_1", unit: "ns/op"},
			{work: "the same, 32 readers at once", benchmark: "BenchmarkRead/R3_32", unit: "ns/op"},
		},
		unshown: []string{"BenchmarkAppend/*", "BenchmarkRead/*"},
	}
}

func fanoutSuite() suite {
	return suite{
		folder: "server/fanout",
		rows: []row{
			{
				work: "waking 1000 viewers of a run, in memory; the floor has one", benchmark: "BenchmarkPublish/viewers=1000", unit: "ns/op",
				floor: "BenchmarkPublish/viewers=1",
			},
		},
		unshown: []string{"BenchmarkPublish/viewers=0"},
	}
}

func streamSuite() suite {
	delivery := func(work, name, unit string, g goal) row {
		return row{work: work, benchmark: "BenchmarkFanout/" + name + "/stream", unit: unit, floor: "BenchmarkFanout/" + name + "/floor", goal: g}
	}
	const processor = "cpu-us/delivery"
	return suite{
		folder: "server/httpapi",
		rows: []row{
			delivery("processor time of a delivery, its reader's included: 1 viewer, 1000 events a second", "viewers=1/rate=1000", processor, goal{}),
			delivery("the same with 200 viewers, 50 events a second", "viewers=200/rate=50", processor, goal{}),
			// At least 0.7 of the floor's deliveries for the same time.
			delivery("1000 viewers, 20 events a second", "viewers=1000/rate=20", processor, atMostFloor(1.43)),
			delivery("5000 viewers, 4 events a second", "viewers=5000/rate=4", processor, goal{}),
			delivery("until the slowest of a hundred deliveries arrives, 1000 viewers", "viewers=1000/rate=20", "p99-ms", goal{}),
			{
				work: "memory of an idle viewer", benchmark: "BenchmarkIdleViewer/run", unit: "KiB/viewer", floor: "BenchmarkIdleViewer/floor",
				goal: atMost(20),
			},
			{
				// At least half of the floor's rate.
				work: "replay of 100 000 events", benchmark: "BenchmarkReplay/stream", unit: "ns/op", floor: "BenchmarkReplay/floor",
				goal: atMostFloor(2),
				why: "By profile half of the time reads the journal, most of it within SQLite, an eighth writes each event's number around it, and a sixth " +
					"writes to the connection, which is all that the floor does.",
			},
			{
				work:      "reports of 1 event, 32 producers; the floor throws the body away",
				benchmark: "BenchmarkReport/producers=32/events=1", unit: "events/s", floor: "BenchmarkReport/producers=32/events=1/floor",
			},
			{
				work:      "reports of 20 events, 32 producers",
				benchmark: "BenchmarkReport/producers=32/events=20", unit: "events/s", floor: "BenchmarkReport/producers=32/events=20/floor",
			},
			{work: "lines of 1 event by open requests, 32 producers", benchmark: "BenchmarkIngest/producers=32", unit: "events/s"},
		},
		unshown: []string{"BenchmarkFanout/*", "BenchmarkIdleViewer/*", "BenchmarkReport/*", "BenchmarkIngest/*"},
	}
}

func consoleSuite() suite {
	const (
		first = "BenchmarkConsoleValidate/first"
		later = "BenchmarkConsoleValidate/later"
	)
	return suite{
		folder: "server",
		flags:  []string{"-benchtime", "10x", "-count", "3"},
		rows: []row{
			{
				work: "the first document after the page was opened", benchmark: first, unit: "first-ms", floor: first, floorUnit: "parse-ms",
				goal: atMost(30),
			},
			{
				work: "the first example on the page for new runs", benchmark: "BenchmarkConsoleValidate/new", unit: "first-ms", goal: atMost(30),
			},
			{
				work: "later documents, median", benchmark: later, unit: "p50-ms", floor: later, floorUnit: "parse-ms", goal: atMost(0.2),
			},
			{work: "later documents, the slowest in a hundred", benchmark: later, unit: "p99-ms"},
			{work: "readying the rules of all contracts, before", benchmark: first, unit: "prepare-ms"},
			{work: "the longest piece of that", benchmark: first, unit: "longest-ms"},
		},
	}
}

// consoleLiveSuite follows a run in the browser.
func consoleLiveSuite() suite {
	const (
		live  = "BenchmarkConsoleLive/rate="
		click = "BenchmarkConsoleClick"
		start = "BenchmarkConsoleStart/"
	)
	late := func(work, rate, unit string, g goal) row {
		return row{work: work, benchmark: live + rate + "/axiom25", unit: unit, floor: live + rate + "/floor", goal: g}
	}
	return suite{
		folder: "server",
		flags:  []string{"-benchtime", "1x", "-count", "3"}, // each is of seconds already
		rows: []row{
			late("from when an engine sends an event until its text stands in the page, 100 events a second, median; "+
				"the floor is a page that only shows what comes", "100", "p50-ms", goal{}),
			late("the same, the slowest in a hundred", "100", "p99-ms", goal{}),
			late("1000 events a second, median", "1000", "p50-ms", goal{}),
			late("the slowest in a hundred", "1000", "p99-ms", atMost(50)),
			late("of the first two seconds, in which the browser still compiles what it runs often", "1000", "first-p99-ms", goal{}),
			late("5000 events a second, median", "5000", "p50-ms", goal{}),
			late("the slowest in a hundred of them", "5000", "p99-ms", goal{}),
			{work: "a click on a tab, until its view is open, while 5000 events come a second, median", benchmark: click, unit: "p50-ms"},
			{
				work: "the slowest click", benchmark: click, unit: "p99-ms", goal: atMost(100),
				why: "The first seconds of a page count, in which the browser compiles what runs often on the two cores that also send and serve: with " +
					"V8's fast code kept off (`--liftoff-only`), hardly a stall of those seconds was left. Otherwise a click waits for the turn and the " +
					"frame under way, some 30 ms together, before its own frame.",
			},
			{
				work: "memory of a tab that has followed a run of 100 000 events", benchmark: "BenchmarkConsoleHeap", unit: "MiB", goal: atMost(64),
			},
			{
				work: "from the navigation until the page of all runs has answered a key, the first time; the floor is a page that only fetches " +
					"and compiles the same program",
				benchmark: start + "cold/axiom25", unit: "ms", floor: start + "cold/floor", goal: atMost(700),
			},
			{
				work: "the same in a browser that has been here", benchmark: start + "cached/axiom25", unit: "ms", floor: start + "cached/floor", goal: atMost(350),
				why: "Half of it is the floor's: the browser starts a process for the page, and 14 MB of program go from its cache into WebAssembly. Then the " +
					"program runs for 0.1 s where that process still has its code from the page before, and for 0.2 s where it has not: V8's code cache " +
					"holds what ran often, and some 2 000 functions that a start calls once are compiled again. Its medians lay between 355 and 490 ms " +
					"in the runs of one morning on this machine, which others share.",
			},
		},
	}
}

// timelineSuite lays runs out on a clock; it is the console's code outside of a browser.
func timelineSuite() suite {
	return suite{
		folder: "app/timeline",
		rows: []row{
			{work: "laying out a window of a timeline of 100 000 calls, outside of a browser", benchmark: "BenchmarkSee", unit: "ns/op"},
			{work: "adding an event to it", benchmark: "BenchmarkAdd", unit: "ns/op"},
		},
	}
}

func loadSuite() suite {
	const (
		events     = "events/s"
		deliveries = "server-µs/delivery"
		arrival    = "p99-ms"
	)
	appendRow := func(work, name string, g goal) row {
		return row{
			work: work, benchmark: "BenchmarkLoadAppend/" + name + "/axiom25", unit: events, floor: "BenchmarkLoadAppend/" + name + "/floor", goal: g,
			why: "The server has one core here, and a request takes all of it: by profile a quarter is SQLite's writer, a fifth is net/http without " +
				"any handler, the rest is garbage collection, decoding, the fold, the row for lists, the log line and the answer. The floor, which " +
				"only reads, syncs and answers, does not reach the goal for single events either. A request that stays open costs about half.",
		}
	}
	openRow := func(work, name string) row {
		return row{
			work: work, benchmark: "BenchmarkLoadAppend/" + name + "/open", unit: events, floor: "BenchmarkLoadAppend/" + name + "/floor",
		}
	}
	fanoutRow := func(work, name, unit string, g goal) row {
		return row{
			work: work, benchmark: "BenchmarkLoadFanout/" + name + "/axiom25", unit: unit, floor: "BenchmarkLoadFanout/" + name + "/floor", goal: g,
			why: "The system call that writes a frame is more than half of it by profile, and costs the bare loop more than the goal; the rest " +
				"is waking a goroutine for each viewer, and the deadline of its write.",
		}
	}
	return suite{
		folder: "server",
		flags:  []string{"-count", "1"}, // each line is of seconds already
		rows: []row{
			appendRow("durable appends, 1 producer, 1 event a request", "producers=1/events=1", goal{}),
			appendRow("1 producer, 20 events a request", "producers=1/events=20", goal{}),
			appendRow("32 producers, 1 event a request", "producers=32/events=1", atLeast(20_000)),
			appendRow("32 producers, 20 events a request", "producers=32/events=20", atLeast(150_000)),
			appendRow("256 producers, 1 event a request", "producers=256/events=1", goal{}),
			appendRow("256 producers, 20 events a request", "producers=256/events=20", goal{}),
			openRow("32 producers that keep a request open, lines of 1 event", "producers=32/events=1"),
			openRow("the same, lines of 20 events", "producers=32/events=20"),
			fanoutRow("1 viewer, 100 events a second, until half of the deliveries have arrived", "viewers=1/rate=100", "p50-ms", goal{}),
			fanoutRow("the same, all but one in a hundred", "viewers=1/rate=100", arrival, goal{}),
			fanoutRow("all but one in a thousand", "viewers=1/rate=100", "p99.9-ms", goal{}),
			fanoutRow("200 viewers, 100 events a second, half", "viewers=200/rate=100", "p50-ms", goal{}),
			fanoutRow("all but one in a hundred", "viewers=200/rate=100", arrival, goal{}),
			fanoutRow("all but one in a thousand", "viewers=200/rate=100", "p99.9-ms", goal{}),
			fanoutRow("1000 viewers, 50 events a second, half", "viewers=1000/rate=50", "p50-ms", goal{}),
			fanoutRow("all but one in a hundred", "viewers=1000/rate=50", arrival, goal{}),
			fanoutRow("all but one in a thousand", "viewers=1000/rate=50", "p99.9-ms", goal{}),
			fanoutRow("5000 viewers, 10 events a second, half", "viewers=5000/rate=10", "p50-ms", goal{}),
			fanoutRow("all but one in a hundred", "viewers=5000/rate=10", arrival, goal{}),
			fanoutRow("all but one in a thousand", "viewers=5000/rate=10", "p99.9-ms", goal{}),
			fanoutRow("processor time of the server for a delivery, 1000 viewers", "viewers=1000/rate=50", deliveries, atMost(6)),
			{
				work: "memory of the server for an idle viewer", benchmark: "BenchmarkLoadIdleViewer", unit: "KiB/viewer", goal: atMost(20),
			},
			{
				work: "replay of 100 000 events", benchmark: "BenchmarkLoadReplay/axiom25", unit: events,
				floor: "BenchmarkLoadReplay/floor", goal: atLeastFloor(0.5),
				why: "By profile garbage collection takes a quarter to a third, reading SQLite's overflow pages and copying them a quarter, and writing each " +
					"event's number around it a seventh.",
			},
			{
				work:      "200 viewers resume at once in a journal of 1 000 000 events, each 500 to 700 events behind, until the slowest in a hundred has caught up",
				benchmark: "BenchmarkLoadResume/events=1000000", unit: arrival, goal: atMost(100),
				why: "Each of them gets 500 to 700 events, some 25 MB together, which one core sends and the other one parses: it takes as long in a journal " +
					"of 10 000 events.",
			},
			{work: "the same in a journal of 100 000 events", benchmark: "BenchmarkLoadResume/events=100000", unit: arrival},
			{work: "the same in a journal of 10 000 events", benchmark: "BenchmarkLoadResume/events=10000", unit: arrival},
			{
				work: "ready after a start with 1 000 000 events of 100 000 runs", benchmark: "BenchmarkLoadReady/runs=100000/events=1000000",
				unit: "ns/op", goal: atMost(1e9),
			},
			{work: "with 100 000 events of 10 000 runs", benchmark: "BenchmarkLoadReady/runs=10000/events=100000", unit: "ns/op"},
			{work: "with 10 000 events of 1000 runs", benchmark: "BenchmarkLoadReady/runs=1000/events=10000", unit: "ns/op"},
		},
		unshown: []string{"BenchmarkLoadAppend/*", "BenchmarkLoadFanout/*"},
	}
}

package apidoc

import (
	"slices"
	"strings"

	"axiom25/contracts"
	"axiom25/contracts/contractstest"
)

// examples are answers about one run, whose task the example of createRun is.
type examples struct {
	run    contractstest.Run
	id     contracts.RunID
	digest contracts.Digest
}

func newExamples() examples {
	run := contractstest.SucceededRun()
	return examples{run: run, id: contractstest.RunID(1), digest: run.Events[0].Data.(*contracts.StatusData).TaskDigest} //nolint:errcheck,forcetypeassert // the first event of every run
}

// created answers createRun.
func (e examples) created() contracts.Created {
	return contracts.Created{RunID: e.id, State: contracts.StateQueued, Links: contracts.LinksOf(e.id)}
}

// done is the run's last event.
func (e examples) done() *contracts.DoneData {
	done, _ := e.run.Events[len(e.run.Events)-1].Data.(*contracts.DoneData)
	return done
}

// verdict is the run's only one.
func (e examples) verdict() *contracts.VerdictData {
	i := slices.IndexFunc(e.run.Events, func(ev contracts.RunEvent) bool { return ev.Type == contracts.EventVerdict })
	verdict, _ := e.run.Events[i].Data.(*contracts.VerdictData)
	return verdict
}

// summary is the run's row in a list.
func (e examples) summary() contracts.Summary {
	last := e.run.Events[len(e.run.Events)-1]
	return contracts.Summary{
		RunID: e.id, State: contracts.StateSucceeded, Goal: e.run.Task.Goal, Backend: "local", Profile: e.run.Task.Profile,
		Labels: e.run.Task.Labels, CreatedAt: contractstest.Start, UpdatedAt: last.Time, LastSeq: last.Seq, Used: e.done().Used,
		Limits: contractstest.Limits(),
	}
}

func (e examples) list() contracts.RunList {
	return contracts.RunList{Runs: []contracts.Summary{e.summary()}, Next: e.id}
}

func (e examples) snapshot() contracts.Snapshot {
	return contracts.Snapshot{
		Summary: e.summary(), TaskDigest: e.digest, Release: contracts.ReleaseStream, OpenCalls: []contracts.OpenCall{},
		Verdicts: []contracts.VerdictData{*e.verdict()}, Done: e.done(), Links: contracts.LinksOf(e.id),
	}
}

// page is what lies behind event 1, but for the rest of the run.
func (e examples) page() contracts.EventPage {
	return contracts.EventPage{Events: e.run.Events[1:3], LastSeq: e.summary().LastSeq}
}

// lines is page as NDJSON.
func (e examples) lines() string {
	var b strings.Builder
	for _, ev := range e.page().Events {
		b.Write(contractstest.Document(ev))
		b.WriteByte('\n')
	}
	return b.String()
}

func (e examples) appended() contracts.Appended {
	return contracts.Appended{Seq: e.run.Events[2].Seq, Events: e.run.Events[2:3]}
}

func (e examples) judged() contracts.Judged {
	return contracts.Judged{Seq: e.summary().LastSeq, Verdict: e.verdict(), Done: e.done()}
}

func (examples) tool() contracts.ToolEntry {
	spec := contractstest.EngineTool("publish")
	digest, _ := contracts.DigestJSON(contractstest.Document(spec)) // an error would be no JSON
	return contracts.ToolEntry{Spec: *spec, Digest: digest, Gate: contracts.GateAsk}
}

func (e examples) tools() contracts.ToolList {
	return contracts.ToolList{Tools: []contracts.ToolEntry{e.tool()}}
}

func (examples) engines() contracts.EngineList {
	return contracts.EngineList{Engines: []contracts.Engine{{
		Name: contracts.ExternalEngine, Description: "Any program that reports over HTTP.",
		Capabilities: []contracts.Capability{contracts.CapabilityTools}, Available: true,
	}}}
}

func (e examples) lease() contracts.LeaseInfo {
	return contracts.LeaseInfo{
		Token: exampleToken, Epoch: 1, Holder: "engine:external/worker-1", ExpiresAt: e.summary().CreatedAt.Add(30_000), TTLMS: 30_000,
	}
}

func (e examples) claimed() contracts.Claimed {
	tool := e.tool()
	return contracts.Claimed{
		RunID: e.summary().RunID, Lease: e.lease(), Task: contractstest.Document(contractstest.TaskSpec()), Limits: e.summary().Limits,
		Tools: map[string]contracts.ToolSpec{string(tool.Spec.Ref()): tool.Spec}, LastSeq: 2, EngineSeq: 0,
		Links: contracts.LinksOf(e.summary().RunID),
	}
}

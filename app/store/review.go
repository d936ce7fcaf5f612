package store

import (
	"encoding/json"
	"errors"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"axiom25/contracts"
	"axiom25/contracts/runstate"
	"axiom25/contracts/verdict"
)

// Grounds is what a verdict can be judged again by: the run as its events showed it when the answer came.
type Grounds struct {
	// Sound says that the stream kept every invariant up to there; behind the first that it breaks nobody knows where the run
	// stood.
	Sound    bool
	Standing verdict.Standing
	Used     contracts.Usage
	Calls    []verdict.CallEvidence
}

// ground keeps, just before a verdict, what it was made from.
func (f *Folder) ground(ev *contracts.RunEvent) {
	if _, ok := ev.Data.(*contracts.VerdictData); !ok {
		return
	}
	if f.violation != nil {
		f.grounds = append(f.grounds, Grounds{})
		return
	}
	f.grounds = append(f.grounds, Grounds{
		Sound: true, Standing: verdict.StandingOf(&f.state), Used: f.state.Used(ev.Time, contracts.EngineUsage{}),
		Calls: verdict.Calls(&f.transcript),
	})
}

// Review is what came of judging a verdict again in the browser.
type Review struct {
	verdict.Review
	// Impossible says why nothing could be judged again, in words; empty where it could.
	Impossible string
	// Hidden says that the judged text is not in the stream.
	Hidden bool
}

// ErrNoChecks says that a task names no checks.
var ErrNoChecks = errors.New("the task names no checks")

// ContractOf reads the checks of a task, in whichever version it was sent.
func ContractOf(task []byte) (*contracts.VerifyContract, error) {
	var document struct {
		SchemaVersion int                        `json:"schema_version"`
		Verification  map[string]json.RawMessage `json:"verification"`
	}
	if err := json.Unmarshal(task, &document); err != nil {
		return nil, err
	}
	if document.Verification == nil {
		return nil, ErrNoChecks
	}
	version, err := json.Marshal(document.SchemaVersion)
	if err != nil {
		return nil, err
	}
	document.Verification["schema_version"] = version // the contract alone: what is shown of a task may lack its sensitive inputs
	contract, err := json.Marshal(document.Verification)
	if err != nil {
		return nil, err
	}
	return contracts.Decode[contracts.VerifyContract](contract)
}

// ReviewVerdict judges a run's verdict again, by the code that the server judged with. i counts the verdicts from 0.
func ReviewVerdict(run *Run, i int) Review {
	if run.Task == nil {
		return Review{Impossible: "the task is not at hand"}
	}
	contract, err := ContractOf(run.Task)
	if err != nil {
		return Review{Impossible: "the task's checks cannot be read"}
	}
	grounds, recorded := &run.Fold.Grounds[i], run.Fold.Verdicts[i].VerdictData
	if !grounds.Sound {
		return Review{Impossible: "the stream breaks an invariant before it"}
	}
	evidence := verdict.Evidence{Calls: grounds.Calls, Used: grounds.Used}
	text, channel, shown := judgedText(&run.Fold, &run.Fold.Verdicts[i])
	evidence.Output, evidence.Channel = text, channel
	review := Review{Hidden: !shown}
	review.Review = verdict.Again(contract, evidence, grounds.Standing, recorded, shown)
	if hash := contracts.DigestText(text); shown && hash != recorded.OutputHash {
		review.Differences = append(review.Differences, verdict.Difference{
			What: "output_hash", Recorded: string(recorded.OutputHash), Again: string(hash),
		})
	}
	return review
}

// judgedText finds the text that a verdict is about: the message that it names, or the output that the run ended with. An
// answer that was never streamed has no channel in the stream; where the model had declined, the verdict has skipped every check.
// A text that is released behind its verdict is there once it is whole.
func judgedText(f *Fold, v *runstate.TranscriptVerdict) (text string, channel contracts.Channel, shown bool) {
	for i := range f.Drafts {
		if m := &f.Drafts[i]; m.ID == v.MessageID && !m.Discarded && (m.Seq < v.Seq || m.Final) {
			return m.Text, m.Channel, true
		}
	}
	channel = contracts.ChannelRefusal
	for i := range v.Results {
		if v.Results[i].Status != contracts.CheckSkipped {
			channel = contracts.ChannelAnswer
		}
	}
	if f.Done != nil && f.Done.MessageID == v.MessageID && f.Done.Output != nil {
		return *f.Done.Output, channel, true
	}
	return "", channel, false
}

// ReviewLater is ReviewVerdict when the browser has nothing better to do, since some checks take a while. done is called on
// the goroutine that draws.
func ReviewLater(ctx goapp.Context, run *Run, i int, done func(goapp.Context, Review)) {
	kept := *run
	ctx.Async(func() {
		untilIdle()
		var review Review
		measured("review verdict", func() { review = ReviewVerdict(&kept, i) })
		ctx.Dispatch(func(ctx goapp.Context) { done(ctx, review) })
	})
}

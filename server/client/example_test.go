package client_test

import (
	"context"
	"errors"
	"log"
	"net/http"

	"axiom25/contracts"
	"axiom25/server/client"
)

// An engine claims one run after another, and answers each.
func ExampleClient_Claim() {
	ctx := context.Background()
	server, err := client.New("http://127.0.0.1:8025", "", http.DefaultClient)
	if err != nil {
		log.Fatal(err)
	}
	for {
		job, err := server.Claim(ctx, contracts.ExternalEngine, "worker-1")
		if err != nil {
			log.Fatal(err)
		}
		err = job.Work(ctx, func(ctx context.Context) error { return carryOut(ctx, job) })
		if err != nil && !errors.Is(err, client.ErrLost) {
			log.Printf("run %s: %v", job.RunID, errors.Join(err, job.GiveBack(ctx)))
		}
	}
}

// carryOut streams an answer a word at a time, and gives it.
func carryOut(ctx context.Context, job *client.Job) error {
	reporter := job.Reporter(ctx)
	for _, word := range []string{"forty", "-", "two"} {
		if err := reporter.Add("", &contracts.TokenData{ID: "answer", Delta: word, Attempt: 1, Channel: contracts.ChannelAnswer}); err != nil {
			return err
		}
	}
	if err := reporter.Close(); err != nil {
		return err
	}
	_, err := job.Answer(ctx, contracts.Answer{MessageID: "answer", Channel: contracts.ChannelAnswer, Text: "forty-two"})
	return err
}

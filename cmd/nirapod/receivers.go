package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"nirapod/alerts/receiver"
	"nirapod/app"
	"nirapod/safety"
	"nirapod/state"
)

// receivers lists how people are written to, and tries it.
func receivers(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		return wrongUse("nirapod receivers: want list or test")
	}
	switch args[0] {
	case "list":
		return listReceivers(ctx, args[1:], std)
	case "test":
		return tryReceiver(ctx, args[1:], std)
	}
	return wrongUse("nirapod receivers %s: want list or test", args[0])
}

func listReceivers(ctx context.Context, args []string, std streams) error {
	cfg, _, err := configured("receivers list", std, args, nil)
	if err != nil {
		return err
	}
	return withReceivers(ctx, cfg, func(db *state.DB, all []receiver.Receiver) error {
		if len(all) == 0 {
			fmt.Fprintln(std.out, "no receiver is named in the server's file: nobody is written to")
		}
		for _, r := range all {
			known, err := db.Receiver(ctx, r.Name)
			if err != nil {
				return err
			}
			fmt.Fprintf(std.out, "%s\t%s\n", r.Name, standing(known))
		}
		return nil
	})
}

// standing says what is known of a receiver: it is not configured until one
// message has been taken.
func standing(r state.Receiver) string {
	switch {
	case r.Accepted == nil && r.Failed == nil:
		return "not configured: it has never taken a message; try it with nirapod receivers test"
	case r.Accepted == nil:
		return "not configured: it has never taken a message: " + r.Failure
	case r.Failed != nil:
		return fmt.Sprintf("fails since %s: %s; it last took one at %s", localTime(*r.Failed), r.Failure, localTime(*r.Accepted))
	}
	return "took a message last at " + localTime(*r.Accepted)
}

func tryReceiver(ctx context.Context, args []string, std streams) error {
	var name, to string
	cfg, _, err := configured("receivers test", std, args, func(set func(*string, string, string)) {
		set(&name, "receiver", "`NAME`: mail, sms or webhook")
		set(&to, "to", "your own `ADDRESS`: an e-mail address or a telephone number; none for webhook")
	})
	if err != nil {
		return err
	}
	return withReceivers(ctx, cfg, func(db *state.DB, all []receiver.Receiver) error {
		i := slices.IndexFunc(all, func(r receiver.Receiver) bool { return r.Name == name })
		if i < 0 {
			return fmt.Errorf("-receiver %q: the server's file names no such receiver: %w", name, safety.ErrInvalid)
		}
		now := time.Now().UTC()
		answer, failure := all[i].Send(ctx, receiver.Message{
			ID: ulid.Make().String(), Step: "test", Address: to, Made: now,
			Text: safety.Name{BN: "পরীক্ষা। এটি কোনো অ্যালার্ম নয়।", EN: "TEST. This is no alarm."},
		})
		err := db.Book(ctx, func(b *state.Book) error { return b.ReceiverAnswered(ctx, name, failure, now) })
		if err := errors.Join(failure, err); err != nil {
			return err
		}
		fmt.Fprintf(std.out, "%s took it and says %q. Look whether it has arrived.\n", name, answer)
		return nil
	})
}

func withReceivers(ctx context.Context, cfg app.Config, do func(*state.DB, []receiver.Receiver) error) error {
	all, err := cfg.Receivers.Build()
	if err != nil {
		return err
	}
	db, err := state.Open(ctx, cfg.DataDir)
	if err != nil {
		return err
	}
	return errors.Join(do(db, all), db.Close())
}

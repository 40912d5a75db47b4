package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"nirapod/alerts/notice"
	"nirapod/safety"
	"nirapod/state"
	"nirapod/wire"
)

// commandTimeout bounds one handing over: a broker that gives no answer for one
// factory must not hold up the commands of all.
const commandTimeout = 5 * time.Second

// objectedEvery is how often the desk is asked again to take what it refused,
// after a first few times in shorter order.
const objectedEvery = 10 * time.Minute

var errNoBroker = errors.New("no way to the gateways")

// toGateway hands one command to the broker.
func (a *Alerts) toGateway(ctx context.Context, it state.Item, _ time.Time) error {
	if a.deps.Command == nil {
		return errNoBroker
	}
	var c wire.Command
	if err := json.Unmarshal(it.Body, &c); err != nil {
		return a.end(ctx, it, state.Refused, err.Error())
	}
	bounded, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	err := a.deps.Command(bounded, it.Factory, it.Ref, c)
	if errors.Is(err, safety.ErrInvalid) {
		return a.end(ctx, it, state.Refused, err.Error())
	}
	if err != nil {
		return err
	}
	return a.end(ctx, it, state.Done, "")
}

// toDesk files one signal or notice. It counts as sent once the request was
// written out, and as received only when the desk's receipt is in the state. A
// desk that refuses it may be mended: it is tried again, seldom, lets others
// pass, and people are told until it has been received.
func (a *Alerts) toDesk(ctx context.Context, it state.Item, now time.Time) error {
	a.at("before desk")
	answer := a.desk.file(ctx, it.Kind, it.Body)
	a.at("after desk")
	if answer.err == nil {
		answer.err = checkReceipt(it, answer.receipt)
	}
	refused := errors.Is(answer.err, safety.ErrInvalid) || errors.Is(answer.err, safety.ErrConflict)
	if answer.err != nil && !refused && !answer.written {
		return answer.err
	}
	err := a.db.Book(ctx, func(b *state.Book) error {
		if err := a.mark(ctx, b, it, answer, now); err != nil {
			return err
		}
		switch {
		case refused:
			return a.objected(ctx, b, it, answer.err, now)
		case answer.err == nil:
			err := a.received(ctx, b, it, answer.receipt.Number, now)
			a.at("receipt written")
			return err
		}
		return nil // written, but the receipt did not come: it is tried again
	})
	if err != nil {
		return err
	}
	a.at("receipt committed")
	a.told()
	a.Wake() // for a fault that begins or ends
	if answer.err != nil && !refused {
		return answer.err
	}
	a.logAnswer(it, answer)
	return nil
}

// objected keeps an item that the desk refused, and says so the first time.
func (a *Alerts) objected(ctx context.Context, b *state.Book, it state.Item, why error, now time.Time) error {
	again := now.Add(min(lastBackoff<<min(it.Attempts, 10), objectedEvery))
	if err := b.Object(ctx, it.Seq, why.Error(), again); err != nil || it.Objected {
		return err
	}
	f := fault{faultRefused, it.Ref, fmt.Sprintf("the desk does not take %s %s; it is tried again: %s", it.Kind, it.Ref, why)}
	return b.AddTransition(ctx, f.transition(it.Factory, safety.Firing, now))
}

func (a *Alerts) received(ctx context.Context, b *state.Book, it state.Item, number string, now time.Time) error {
	if _, err := b.Finish(ctx, it.Seq, state.Done, number); err != nil || !it.Objected {
		return err
	}
	f := fault{faultRefused, it.Ref, fmt.Sprintf("the desk has taken %s %s", it.Kind, it.Ref)}
	return b.AddTransition(ctx, f.transition(it.Factory, safety.Inactive, now))
}

func (a *Alerts) logAnswer(it state.Item, answer deskAnswer) {
	if answer.err != nil {
		a.log.Error("the desk refused", "factory", it.Factory, "kind", it.Kind, "id", it.Ref, "err", answer.err)
		return
	}
	a.log.Info("received by the desk", "factory", it.Factory, "kind", it.Kind, "id", it.Ref, "receipt", answer.receipt.Number)
}

// checkReceipt refuses a receipt that is not for this filing, and a real
// number for an exercise or the other way round.
func checkReceipt(it state.Item, r safety.Receipt) error {
	var f safety.Filing
	if err := json.Unmarshal(it.Body, &f); err != nil {
		return fmt.Errorf("%w: %w", err, safety.ErrInvalid)
	}
	exercise := f.Signal != nil && (f.Signal.Exercise || f.Signal.Demo) || f.Notice != nil && (f.Notice.Exercise || f.Notice.Body.Demo)
	marked := strings.HasPrefix(r.Number, "DEMO-") || strings.HasPrefix(r.Number, "EX-")
	switch {
	case r.ID != f.ID || r.Version != f.Version || r.Number == "" || r.ReceivedAt.IsZero():
		return fmt.Errorf("receipt %q of %s version %d is not for this filing: %w", r.Number, r.ID, r.Version, safety.ErrConflict)
	case marked != exercise:
		return fmt.Errorf("receipt %q does not fit: exercise is %t: %w", r.Number, exercise, safety.ErrConflict)
	}
	return nil
}

// mark makes the signal or notice say how far it has come.
func (a *Alerts) mark(ctx context.Context, b *state.Book, it state.Item, answer deskAnswer, now time.Time) error {
	received := answer.receipt.ReceivedAt.UTC()
	if it.Kind == "signal" {
		s, err := b.Signal(ctx, it.Ref)
		if err != nil {
			return err
		}
		advance(&s.Status, &s.SentAt, now)
		if answer.err == nil {
			s.Status, s.ReceivedAt, s.ReceiptNumber = safety.NoticeReceived, &received, answer.receipt.Number
		}
		return b.SaveSignal(ctx, s)
	}
	n, err := b.Notice(ctx, it.Ref)
	if err != nil {
		return err
	}
	advance(&n.Status, &n.SentAt, now)
	if answer.err == nil {
		n.Status, n.ReceivedAt, n.ReceiptNumber = safety.NoticeReceived, &received, answer.receipt.Number
		n.Clocks = a.law.Met(n.Clocks, received)
		n.DueAt = notice.EarliestDue(n.Clocks)
		n.Body.Informed = append(n.Body.Informed, safety.Informed{
			Recipient: "dife_office", Channel: "desk", At: received, By: "machine", Reference: answer.receipt.Number,
		})
	}
	return b.SaveNotice(ctx, n)
}

// advance makes prepared sent; the first sending counts.
func advance(status *safety.NoticeStatus, sentAt **time.Time, now time.Time) {
	if *status == safety.NoticePrepared {
		*status = safety.NoticeSent
	}
	if *sentAt == nil {
		*sentAt = &now
	}
}

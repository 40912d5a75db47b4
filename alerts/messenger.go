package alerts

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nirapod/alerts/receiver"
	"nirapod/safety"
	"nirapod/state"
)

const (
	messagePage = 500
	atOnce      = 32 // addresses served at once by one receiver
	lastPutOff  = time.Minute
)

// messenger carries the messages of one receiver. Each address has its turn,
// whatever others answer; each receiver has a messenger of its own, so that a
// slow one delays no other. What waits for one person goes as one message.
//
// A message counts as accepted only when that is in the state: after a crash
// between the two it goes out again. Told twice is better than not at all.
type messenger struct {
	receiver.Receiver
	a     *Alerts
	woken chan struct{}

	mu   sync.Mutex
	busy map[string]bool // addresses that are being served; guarded by mu
}

func newMessenger(a *Alerts, r receiver.Receiver) *messenger {
	return &messenger{Receiver: r, a: a, woken: make(chan struct{}, 1), busy: map[string]bool{}}
}

func (m *messenger) wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// run serves until ctx ends. An address that does not answer is waited for apart
// from all others.
func (m *messenger) run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	var g errgroup.Group
	g.SetLimit(atOnce)
	failing := false
	for {
		err := m.round(ctx, &g, time.Now().UTC().Truncate(time.Millisecond))
		if ctx.Err() != nil {
			_ = g.Wait()
			return ctx.Err()
		}
		if (err != nil) != failing {
			failing = err != nil
			m.a.log.Error("messages and the state", "receiver", m.Name, "failing", failing, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-m.woken:
		case <-tick.C:
		}
	}
}

// round begins to serve each address that has a message to send and is not
// being served.
func (m *messenger) round(ctx context.Context, g *errgroup.Group, now time.Time) error {
	waiting, err := m.a.db.WaitingMessages(ctx, m.Name, now, messagePage)
	if err != nil {
		return err
	}
	var order []string
	byAddress := map[string][]state.Message{}
	for _, msg := range waiting {
		key := msg.Factory + "/" + msg.Address
		if m.By == receiver.ToProgram {
			key = msg.ID // a program wants each
		}
		if byAddress[key] == nil {
			order = append(order, key)
		}
		byAddress[key] = append(byAddress[key], msg)
	}
	for _, key := range order {
		if !m.begin(key) {
			continue
		}
		begun := g.TryGo(func() error {
			defer m.wake()
			defer m.end(key)
			if err := m.serve(ctx, byAddress[key], now); err != nil && ctx.Err() == nil {
				m.a.log.Error("a message's end was not written down: it is sent again", "receiver", m.Name, "err", err)
			}
			return nil
		})
		if !begun {
			m.end(key)
			return nil // the next that ends wakes us
		}
	}
	return nil
}

func (m *messenger) begin(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy[key] {
		return false
	}
	m.busy[key] = true
	return true
}

func (m *messenger) end(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.busy, key)
}

// serve tries what waits for one address, gravest first, and writes down what
// became of it.
func (m *messenger) serve(ctx context.Context, all []state.Message, now time.Time) error {
	live, stale := all[:0:0], all[:0:0]
	for _, msg := range all {
		if now.After(msg.Expires) {
			stale = append(stale, msg)
			continue
		}
		live = append(live, msg)
	}
	var answer string
	var failure error
	began := time.Now()
	if len(live) > 0 {
		m.a.at("before message")
		answer, failure = m.Send(ctx, m.one(live))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		m.a.at("after message")
	}
	ended := now.Add(time.Since(began)).Truncate(time.Millisecond)
	return m.a.db.Book(ctx, func(b *state.Book) error {
		for _, msg := range stale {
			if err := b.EndMessage(ctx, msg.ID, state.MessageExpired, msg.Answer, ended); err != nil {
				return err
			}
		}
		for _, msg := range live {
			if err := m.note(ctx, b, msg, answer, failure, ended); err != nil {
				return err
			}
		}
		if len(live) == 0 || errors.Is(failure, safety.ErrInvalid) {
			return nil // a wrong number says nothing of the receiver
		}
		return b.ReceiverAnswered(ctx, m.Name, failure, ended)
	})
}

func (m *messenger) note(ctx context.Context, b *state.Book, msg state.Message, answer string, failure error, now time.Time) error {
	switch {
	case failure == nil:
		return b.EndMessage(ctx, msg.ID, state.MessageAccepted, answer, now)
	case errors.Is(failure, safety.ErrInvalid):
		m.a.log.Error("a message is refused for good", "receiver", m.Name, "factory", msg.Factory, "role", msg.Role, "alert", msg.Alert, "err", failure)
		return b.EndMessage(ctx, msg.ID, state.MessageRefused, failure.Error(), now)
	}
	wait := min(firstBackoff<<min(msg.Attempts, 10), lastPutOff)
	return b.PutOffMessage(ctx, msg.ID, failure.Error(), now, now.Add(wait))
}

// one makes one message of all that waits for an address.
func (m *messenger) one(all []state.Message) receiver.Message {
	first := all[0]
	out := receiver.Message{
		ID: first.ID, Factory: first.Factory, Alert: first.Alert, Step: first.Step, Address: first.Address,
		Language: m.a.sites.site(first.Factory).Factory.Language, Text: first.Body, Made: first.Created,
	}
	if more := len(all) - 1; more > 0 {
		out.Text = counted(out.Text, more)
	}
	return out
}

package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

const (
	// publishAgain is how long a commit waits after the broker did not take it.
	publishAgain = time.Second
	// publishTimeout bounds one message: a broker that has no answer to one must
	// not hold up all others.
	publishTimeout = 5 * time.Second
)

// publisher sends what the loop decided, so that the loop never waits for the
// broker. Of commits and readings only the newest of each kind waits, so what
// waits is bounded by the number of runs and sensors.
type publisher struct {
	publish func(context.Context, mqttconn.Message) error
	log     *slog.Logger
	kick    chan struct{}

	mu     sync.Mutex
	due    map[trackKey]commitment // guarded by mu
	notes  map[string][]byte       // guarded by mu: wakes by topic and kind
	views  []mqttconn.Message      // guarded by mu
	topics map[string]string       // guarded by mu: of notes

	orders []order // guarded by mu: commands, oldest first
}

// order is a command on its way to a gateway.
type order struct {
	key string // topic and id
	mqttconn.Message
}

func newPublisher(publish func(context.Context, mqttconn.Message) error, log *slog.Logger) *publisher {
	return &publisher{
		publish: publish, log: log, kick: make(chan struct{}, 1),
		due: map[trackKey]commitment{}, notes: map[string][]byte{}, topics: map[string]string{},
	}
}

func (p *publisher) commits(all []commitment) {
	p.mu.Lock()
	for _, c := range all {
		p.due[c.key] = c
	}
	p.mu.Unlock()
	p.awake()
}

func (p *publisher) wake(factory, kind string) {
	payload, err := wire.EncodeWake(wire.Wake{Kind: kind})
	if err != nil {
		p.log.Error("wake cannot be sent", "err", err)
		return
	}
	topic := wire.WakeTopic(factory).String()
	p.mu.Lock()
	p.notes[topic+" "+kind], p.topics[topic+" "+kind] = payload, topic
	p.mu.Unlock()
	p.awake()
}

// command sends a command until the broker has it. A repeated one changes
// nothing at its gateway.
func (p *publisher) command(factory, gateway string, c wire.Command) {
	payload, err := wire.EncodeCommand(c)
	if err != nil {
		p.log.Error("command cannot be sent", "gateway", gateway, "factory", factory, "id", c.ID, "err", err)
		return
	}
	m := mqttconn.Message{Topic: wire.CmdTopic(factory, gateway).String(), Payload: payload, QoS: 1}
	p.mu.Lock()
	p.orders = append(withoutOrder(p.orders, m.Topic+" "+c.ID), order{m.Topic + " " + c.ID, m})
	p.mu.Unlock()
	p.awake()
}

func withoutOrder(orders []order, key string) []order {
	return slices.DeleteFunc(orders, func(o order) bool { return o.key == key })
}

// live sends readings for dashboards. What the broker does not take at once is
// dropped.
func (p *publisher) live(factory string, m wire.Live) {
	payload, err := wire.EncodeLive(m)
	if err != nil {
		p.log.Error("live readings cannot be sent", "factory", factory, "err", err)
		return
	}
	p.mu.Lock()
	if len(p.views) < 100 {
		p.views = append(p.views, mqttconn.Message{Topic: wire.LiveTopic(factory).String(), Payload: payload})
	}
	p.mu.Unlock()
	p.awake()
}

func (p *publisher) awake() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *publisher) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.kick:
		}
		if p.sendAll(ctx) {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(publishAgain):
			p.awake()
		}
	}
}

// sendAll sends what waits: wakes first, for people wait for them, then
// commits and commands, then views. It reports whether all of these two went out.
func (p *publisher) sendAll(ctx context.Context) bool {
	p.mu.Lock()
	due, notes, topics, views, orders := p.due, p.notes, p.topics, p.views, p.orders
	p.orders = nil
	p.due, p.notes, p.topics, p.views = map[trackKey]commitment{}, map[string][]byte{}, map[string]string{}, nil
	p.mu.Unlock()
	for key, payload := range notes {
		_ = p.send(ctx, mqttconn.Message{Topic: topics[key], Payload: payload}) // whoever misses it polls
	}
	sent := true
	for key, c := range due {
		// After one failure the others wait for the next round: a broker that
		// does not answer would take its time for each.
		if !sent || p.commit(ctx, c) != nil {
			sent = false
			p.again(key, c)
		}
	}
	for n, o := range orders {
		if !sent || p.send(ctx, o.Message) != nil {
			sent = false
			p.reorder(orders[n:])
			break
		}
	}
	for _, m := range views {
		_ = p.send(ctx, m) // the next is a second away
	}
	return sent
}

// reorder puts commands back before those that came meanwhile, unless these say
// the same again.
func (p *publisher) reorder(left []order) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, newer := range p.orders {
		left = withoutOrder(left, newer.key)
	}
	p.orders = slices.Concat(left, p.orders)
}

func (p *publisher) send(ctx context.Context, m mqttconn.Message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	return p.publish(ctx, m)
}

func (p *publisher) commit(ctx context.Context, c commitment) error {
	payload, err := wire.EncodeCommit(c.commit)
	if err != nil {
		p.log.Error("commit cannot be sent", "gateway", c.key.gateway, "factory", c.key.factory, "err", err)
		return nil
	}
	return p.send(ctx, mqttconn.Message{
		Topic:   wire.CommitTopic(c.key.factory, c.key.gateway, c.key.stream).String(),
		Payload: payload, QoS: 1, Retain: c.retain,
	})
}

// again puts a commit back unless a newer one waits.
func (p *publisher) again(key trackKey, c commitment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, newer := p.due[key]; !newer {
		p.due[key] = c
	}
}

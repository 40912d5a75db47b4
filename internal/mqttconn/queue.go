package mqttconn

import (
	"context"
	"strings"
)

// The queue between paho and the handlers. It must never block paho, whose
// one goroutine also answers pings, so what does not fit is dropped, newest
// first, and counted. The message has then been acknowledged all the same: on
// this protocol's topics the sender sends again until it sees a commit.
const (
	maxQueued      = 8192     // messages
	maxQueuedBytes = 64 << 20 // bytes of payload
)

type subscription struct {
	filter  string
	qos     byte
	handler func(Message)
}

// Dropped returns how many messages were dropped because handlers were too
// slow: more than 8192 messages or 64 MiB were waiting.
func (c *Conn) Dropped() uint64 { return c.dropped.Load() }

func (c *Conn) enqueue(m Message) {
	size := int64(len(m.Payload))
	if c.queued.Add(size) <= maxQueuedBytes {
		select {
		case c.queue <- m:
			return
		default:
		}
	}
	c.queued.Add(-size)
	c.dropped.Add(1)
	if c.full.CompareAndSwap(false, true) {
		c.log.Warn("handlers are too slow, dropping messages", "client", c.cfg.ClientID, "topic", m.Topic)
	}
}

func (c *Conn) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-c.queue:
			c.queued.Add(-int64(len(m.Payload)))
			if len(c.queue) == 0 && c.full.CompareAndSwap(true, false) {
				c.log.Info("handlers have caught up", "client", c.cfg.ClientID, "dropped", c.Dropped())
			}
			for _, s := range c.subs {
				if match(s.filter, m.Topic) {
					s.handler(m)
				}
			}
		}
	}
}

// match reports whether topic falls under filter (MQTT 3.1.1 section 4.7).
func match(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	for {
		f, restF, moreF := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		t, restT, moreT := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !moreT {
			return !moreF || restF == "#"
		}
		if !moreF {
			return false
		}
		filter, topic = restF, restT
	}
}

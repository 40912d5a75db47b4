package forward

import (
	"slices"

	"nirapod/internal/mqttconn"
	"nirapod/wire"
)

const remembered = 256 // ids of commands

// receive takes what the server sends.
func (f *Forwarder) receive(m mqttconn.Message) {
	topic, err := wire.ParseTopic(m.Topic)
	if err != nil {
		f.log.Warn("message on an unknown topic", "topic", m.Topic, "err", err)
		return
	}
	switch topic.Kind {
	case wire.KindCommit:
		c, err := wire.DecodeCommit(topic, m.Payload)
		if err != nil {
			f.log.Warn("commit not understood", "topic", m.Topic, "err", err)
			return
		}
		for _, l := range f.lanes {
			if l.stream == c.Stream {
				l.take(c)
			}
		}
	case wire.KindCommand:
		f.command(m.Payload)
	}
}

// command hands on what is still to be done. Without a true clock nothing
// expires that could not also be a day old, so nothing is done then: the alarm
// goes on sounding until somebody comes.
func (f *Forwarder) command(payload []byte) {
	c, err := wire.DecodeCommand(payload)
	if err != nil {
		f.log.Warn("command not understood", "err", err)
		return
	}
	now, _ := f.cfg.Wall(f.cfg.Mono())
	if now.IsZero() || !now.Before(c.Expires) {
		f.log.Warn("command came too late, or the clock is not set", "id", c.ID, "kind", c.Kind, "expires", c.Expires)
		return
	}
	f.mu.Lock()
	repeated := slices.Contains(f.taken, c.ID)
	if !repeated {
		f.taken = append(f.taken, c.ID)
		f.taken = f.taken[max(0, len(f.taken)-remembered):]
	}
	f.mu.Unlock()
	if !repeated {
		f.cfg.Command(c)
	}
}

package dashboard

import (
	"maps"
	"sync"

	"nirapod/safety"
)

// queueLength bounds what waits for one browser. A browser that falls further
// behind is cut off; it comes back with a fresh snapshot.
const queueLength = 256

// event is one message of the live stream, already encoded.
type event struct {
	id   int64 // change id for resuming; 0 = none
	name string
	data []byte
}

// client is one open live stream.
type client struct {
	factories map[string]bool
	papers    bool       // may see incidents and notices
	events    chan event // closed by the hub when the client is cut off
}

// sees is the stream's side of the access table.
func (c *client) sees(factory, kind string) bool {
	return c.factories[factory] && (c.papers || kind != "incident" && kind != "notice")
}

// hub holds the newest value of each sensor and hands events to the open
// streams. Safe for concurrent use.
type hub struct {
	mu      sync.Mutex
	newest  map[string]map[string]safety.Reading // guarded by mu: factory, sensor
	clients map[*client]bool                     // guarded by mu
	closed  bool                                 // guarded by mu
}

func newHub() *hub {
	return &hub{newest: map[string]map[string]safety.Reading{}, clients: map[*client]bool{}}
}

// take remembers readings of factory where they are newer than what is known.
func (h *hub) take(factory string, readings []safety.Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := h.newest[factory]
	if known == nil {
		known = map[string]safety.Reading{}
		h.newest[factory] = known
	}
	for _, r := range readings {
		if old, ok := known[r.Sensor]; !ok || r.At.After(old.At) {
			known[r.Sensor] = r
		}
	}
}

// values returns a copy of the newest readings of factory by sensor.
func (h *hub) values(factory string) map[string]safety.Reading {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.newest[factory])
}

// join opens a stream of factories, or returns nil when the server is closing.
func (h *hub) join(factories []string, papers bool) *client {
	c := &client{factories: map[string]bool{}, papers: papers, events: make(chan event, queueLength)}
	for _, f := range factories {
		c.factories[f] = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	h.clients[c] = true
	return c
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(c)
}

// drop must be called with mu held.
func (h *hub) drop(c *client) {
	if h.clients[c] {
		delete(h.clients, c)
		close(c.events)
	}
}

// send hands e to every stream that may see factory. It never blocks.
func (h *hub) send(factory string, e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients {
		if !c.sees(factory, e.name) {
			continue
		}
		select {
		case c.events <- e:
		default:
			h.drop(c)
		}
	}
}

// close ends all streams and refuses new ones.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for c := range h.clients {
		h.drop(c)
	}
}

// open returns the number of open streams.
func (h *hub) open() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

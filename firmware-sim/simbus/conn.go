package simbus

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// Deadline bounds one transaction, dialling included.
	Deadline = 500 * time.Millisecond
	// patience is the Deadline of the world, which is no bus: a person's hand on
	// the scenario may wait for a machine that is busy.
	patience = 10 * time.Second
	world    = "world"
	// redialPause keeps a fast poller from dialling a dead address each time.
	redialPause = 50 * time.Millisecond
)

// Conn is a client's hold on one bus of a simulator. It is safe for concurrent
// use; calls queue, one is in flight. A broken stream costs the call that met
// it an error; the next call dials again, so that either side may restart.
type Conn struct {
	url, addr, bus string
	limit          time.Duration // of one call

	mu      sync.Mutex
	conn    net.Conn      // nil between a break and the next call; guarded by mu
	reader  *bufio.Reader // guarded by mu
	out, in []byte        // reused between calls; guarded by mu
	seq     uint32        // guarded by mu
	closed  bool          // guarded by mu
	notYet  time.Time     // no dialling before; guarded by mu
}

// Open returns a hold on the bus that rawURL names: sim://host:port/bus. It
// checks the URL and does not connect: the first call does, so that an agent
// may start before its simulator.
func Open(rawURL string) (*Conn, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	bus := strings.TrimPrefix(u.Path, "/")
	switch {
	case u.Scheme != "sim":
		return nil, fmt.Errorf("%s: a simulated bus is sim://host:port/bus", rawURL)
	case u.Hostname() == "" || u.Port() == "":
		return nil, fmt.Errorf("%s: host and port are wanted", rawURL)
	case bus == "" || len(bus) > maxName || strings.Contains(bus, "/"):
		return nil, fmt.Errorf("%s: the path must name one bus", rawURL)
	}
	limit := Deadline
	if bus == world {
		limit = patience
	}
	return &Conn{url: rawURL, addr: u.Host, bus: bus, limit: limit}, nil
}

// String returns the URL.
func (c *Conn) String() string { return c.url }

// Call sends one request and returns the reply in memory of its own. It ends
// within Deadline, one to the world within 10 s. Errors wrap ErrNACK, ErrTimeout, ErrLink or ErrRefused.
func (c *Conn) Call(request []byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, err := c.call(func(b []byte) []byte { return append(b, request...) })
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), body...), nil
}

// call is Call without the copies: the reply is valid until the next call.
func (c *Conn) call(body func([]byte) []byte) ([]byte, error) { // with mu
	if c.closed {
		return nil, fmt.Errorf("%s: %w", c.url, net.ErrClosed)
	}
	deadline := time.Now().Add(c.limit)
	if err := c.connect(deadline); err != nil {
		return nil, err
	}
	c.seq++
	c.out = body(beginRequest(c.out[:0], c.seq))
	if err := endRequest(c.out); err != nil {
		return nil, fmt.Errorf("%s: %w", c.url, err)
	}
	return c.exchange(c.seq, deadline)
}

func (c *Conn) connect(deadline time.Time) error { // with mu
	if c.conn != nil {
		return nil
	}
	if time.Now().Before(c.notYet) {
		return fmt.Errorf("%s: %w", c.url, ErrLink)
	}
	conn, err := (&net.Dialer{Deadline: deadline}).Dial("tcp", c.addr)
	if err != nil {
		c.notYet = time.Now().Add(redialPause)
		return c.broken(err)
	}
	c.conn, c.reader = conn, bufio.NewReader(conn)
	c.out = appendHello(c.out[:0], c.bus)
	if _, err := c.exchange(0, deadline); err != nil {
		c.drop()
		c.notYet = time.Now().Add(redialPause)
		return err
	}
	return nil
}

// exchange sends c.out and waits for the reply to seq. Any doubt about where
// the stream stands drops it.
func (c *Conn) exchange(seq uint32, deadline time.Time) ([]byte, error) { // with mu
	if err := c.conn.SetDeadline(deadline); err != nil {
		return nil, c.broken(err)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return nil, c.broken(err)
	}
	got, s, body, err := readReply(c.reader, c.in)
	c.in = body[:0]
	if err != nil {
		return nil, c.broken(err)
	}
	if got != seq {
		return nil, c.broken(fmt.Errorf("reply %d to request %d", got, seq))
	}
	if err := errorOf(s, body); err != nil {
		if errors.Is(err, ErrLink) {
			c.drop()
		}
		return nil, fmt.Errorf("%s: %w", c.url, err)
	}
	return body, nil
}

func (c *Conn) broken(cause error) error { // with mu
	c.drop()
	kind := ErrLink
	if timeout, ok := errors.AsType[net.Error](cause); ok && timeout.Timeout() {
		kind = ErrTimeout
	}
	return fmt.Errorf("%s: %w: %w", c.url, kind, cause)
}

func (c *Conn) drop() { // with mu
	if c.conn != nil {
		_ = c.conn.Close() // nothing unsent is worth an error
		c.conn, c.reader = nil, nil
	}
}

// Close ends the hold; it waits for a call in flight. Later calls return an
// error wrapping net.ErrClosed.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.drop()
	return nil
}

package e2e

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lossy is a TCP proxy that knows just enough MQTT to harm it: it acknowledges
// publications and then drops, repeats or reorders them, in both directions.
// What it does is what a broker may do that lost its queue after PUBACK.
type lossy struct {
	listener net.Listener
	target   func() string
	seed     atomic.Uint64

	dropped, repeated, delayed atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
}

const (
	mqttPublish = 3
	mqttPuback  = 4

	dropOdds   = 0.10
	repeatOdds = 0.10
	holdOdds   = 0.15
	holdFor    = 400 * time.Millisecond
)

// newLossy listens on a free loopback port and forwards to target.
func newLossy(t *testing.T, target func() string) *lossy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &lossy{listener: l, target: target, conns: map[net.Conn]bool{}}
	go p.serve()
	t.Cleanup(p.close)
	return p
}

func (p *lossy) addr() string { return p.listener.Addr().String() }

func (p *lossy) close() {
	p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *lossy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target())
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		a, b := &mqttSide{conn: client}, &mqttSide{conn: server}
		go p.pass(a, b)
		go p.pass(b, a)
	}
}

// mqttSide is one end; packets are written whole.
type mqttSide struct {
	conn net.Conn
	mu   sync.Mutex
}

func (s *mqttSide) write(packet []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Write(packet)
	return err
}

// pass carries packets from one side to the other until either ends.
func (p *lossy) pass(from, to *mqttSide) {
	defer from.conn.Close()
	defer to.conn.Close()
	in := bufio.NewReader(from.conn)
	chance := rand.New(rand.NewPCG(42, p.seed.Add(1)))
	for {
		packet, err := readPacket(in)
		if err != nil {
			return
		}
		if packet[0]>>4 != mqttPublish || packet[0]>>1&3 != 1 { // only QoS 1 publications
			if to.write(packet) != nil {
				return
			}
			continue
		}
		switch dice := chance.Float64(); {
		case dice < dropOdds:
			p.dropped.Add(1)
			if from.write(puback(packet)) != nil {
				return
			}
		case dice < dropOdds+repeatOdds:
			p.repeated.Add(1)
			if to.write(slices.Concat(packet, packet)) != nil {
				return
			}
		case dice < dropOdds+repeatOdds+holdOdds:
			p.delayed.Add(1)
			time.AfterFunc(time.Duration(chance.Int64N(int64(holdFor))), func() { to.write(packet) })
		default:
			if to.write(packet) != nil {
				return
			}
		}
	}
}

// readPacket reads one MQTT control packet whole.
func readPacket(in *bufio.Reader) ([]byte, error) {
	head, err := in.ReadByte()
	if err != nil {
		return nil, err
	}
	packet, length := []byte{head}, 0
	for shift := 0; ; shift += 7 {
		b, err := in.ReadByte()
		if err != nil {
			return nil, err
		}
		packet = append(packet, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift == 21 {
			return nil, errors.New("malformed length")
		}
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, err
	}
	return append(packet, body...), nil
}

// puback answers a QoS 1 publication.
func puback(publish []byte) []byte {
	i := 1
	for publish[i]&0x80 != 0 {
		i++
	}
	i++
	topic := int(publish[i])<<8 | int(publish[i+1])
	id := publish[i+2+topic : i+4+topic]
	return []byte{mqttPuback << 4, 2, id[0], id[1]}
}

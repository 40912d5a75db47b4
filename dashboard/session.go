package dashboard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"nirapod/internal/password"
	"nirapod/safety"
	"nirapod/state"
)

const (
	sessionCookie = "nirapod_session"
	csrfHeader    = "X-CSRF-Token"
	// A wall screen must not log itself out in the night of a fire.
	sessionLife = 30 * 24 * time.Hour
)

// userJSON is what a person may know about their own login.
type userJSON struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	Factory  string `json:"factory_id"`
	Office   string `json:"office"`
	Language string `json:"language"`
}

func describe(u state.User) userJSON {
	return userJSON{Name: u.Name, Role: string(u.Role), Factory: u.Factory, Office: u.Office, Language: u.Language}
}

// unknownUser is compared against when the name does not exist, so that the
// answer takes as long as for a wrong password.
var unknownUser = password.Hash(rand.Text())

func (s *Server) login(c *fiber.Ctx) error {
	var in struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if err := c.BodyParser(&in); err != nil {
		return refuse(fiber.StatusBadRequest, "send {\"username\", \"password\"} as JSON")
	}
	now := s.deps.Now()
	byName, byAddress := "name "+in.Username, "address "+c.IP()
	if wait := s.limit.wait(now, byName, byAddress); wait > 0 {
		c.Set(fiber.HeaderRetryAfter, fmt.Sprint(int(math.Ceil(wait.Seconds()))))
		return refuse(fiber.StatusTooManyRequests, "too many wrong passwords: wait and try again")
	}
	user, err := s.deps.DB.UserByName(c.UserContext(), in.Username)
	hash := user.PasswordHash
	if errors.Is(err, safety.ErrNotFound) {
		hash = unknownUser
	} else if err != nil {
		return err
	}
	if !password.Verify(hash, in.Password) || err != nil {
		s.limit.fail(now, byName, byAddress)
		return refuse(fiber.StatusUnauthorized, "name or password is wrong")
	}
	s.limit.forget(byName)
	return s.open(c, user, now)
}

// open starts a session and answers with its token, also as a cookie.
func (s *Server) open(c *fiber.Ctx, user state.User, now time.Time) error {
	token, csrf := randomToken(), randomToken()
	expires := now.Add(sessionLife)
	if err := s.deps.DB.CreateSession(c.UserContext(), tokenHash(token), user.ID, csrf, now, expires); err != nil {
		return err
	}
	c.Cookie(&fiber.Cookie{
		Name: sessionCookie, Value: token, Path: "/", Expires: expires,
		HTTPOnly: true, Secure: s.cfg.Secure, SameSite: fiber.CookieSameSiteStrictMode,
	})
	return c.JSON(fiber.Map{"token": token, "csrf": csrf, "user": describe(user)})
}

func (s *Server) logout(c *fiber.Ctx) error {
	if err := s.deps.DB.DeleteSession(c.UserContext(), tokenHash(presentedToken(c))); err != nil {
		return err
	}
	c.Cookie(&fiber.Cookie{
		Name: sessionCookie, Path: "/", Expires: time.Unix(0, 0),
		HTTPOnly: true, Secure: s.cfg.Secure, SameSite: fiber.CookieSameSiteStrictMode,
	})
	return c.SendStatus(fiber.StatusNoContent)
}

func (s *Server) me(c *fiber.Ctx) error {
	session := sessionOf(c)
	return c.JSON(fiber.Map{"user": describe(session.User), "csrf": session.CSRF})
}

// authenticate finds the session of a request or answers 401, never a
// redirect. Requests that came with the cookie must prove, if they change
// anything, that they come from our page.
func (s *Server) authenticate(c *fiber.Ctx) error {
	token := presentedToken(c)
	if token == "" {
		return refuse(fiber.StatusUnauthorized, "log in first: POST /api/v1/login")
	}
	session, err := s.deps.DB.Session(c.UserContext(), tokenHash(token), s.deps.Now())
	if errors.Is(err, safety.ErrNotFound) {
		return refuse(fiber.StatusUnauthorized, "the login has ended: log in again")
	}
	if err != nil {
		return err
	}
	if c.Get(fiber.HeaderAuthorization) == "" && changes(c.Method()) &&
		subtle.ConstantTimeCompare([]byte(c.Get(csrfHeader)), []byte(session.CSRF)) != 1 {
		return refuse(fiber.StatusForbidden, "the "+csrfHeader+" header is missing or wrong")
	}
	c.Locals(sessionCookie, session)
	return c.Next()
}

func sessionOf(c *fiber.Ctx) state.Session { return c.Locals(sessionCookie).(state.Session) }

// viewer is the asker, as the tenant filter knows them.
func viewer(c *fiber.Ctx) state.Viewer { return state.Viewer{User: sessionOf(c).User} }

func presentedToken(c *fiber.Ctx) string {
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		token, _ := strings.CutPrefix(header, "Bearer ")
		return token
	}
	return c.Cookies(sessionCookie)
}

func changes(method string) bool {
	return method != fiber.MethodGet && method != fiber.MethodHead && method != fiber.MethodOptions
}

func randomToken() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func tokenHash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/slack-go/slack"
)

// A Slack posts to a channel of Slack, by an incoming webhook or as a bot.
// Slack knows no id of messages: after a crash between its answer and our
// note, a message appears twice.
type Slack struct {
	webhook string // or
	bot     *slack.Client
	channel string
	client  *http.Client
}

// NewSlackWebhook returns a channel for the URL of an incoming webhook.
func NewSlackWebhook(webhook string) (*Slack, error) {
	if err := checkURL(webhook); err != nil {
		return nil, fmt.Errorf("slack: url: %w", err)
	}
	return &Slack{webhook: webhook, client: newClient()}, nil
}

// NewSlackBot returns a channel that posts as the bot of the token (scope
// chat:write) to the channel, by its id or name. The API's URL is Slack's if
// empty.
func NewSlackBot(token, channel, api string) (*Slack, error) {
	if token == "" || channel == "" {
		return nil, errors.New("slack: a bot needs a token and a channel")
	}
	client := newClient()
	options := []slack.Option{slack.OptionHTTPClient(client)}
	if api != "" {
		if err := checkURL(api); err != nil {
			return nil, fmt.Errorf("slack: api: %w", err)
		}
		options = append(options, slack.OptionAPIURL(strings.TrimSuffix(api, "/")+"/"))
	}
	return &Slack{bot: slack.New(token, options...), channel: channel, client: client}, nil
}

// Kind returns "slack".
func (s *Slack) Kind() string { return "slack" }

// Send posts one incident.
func (s *Slack) Send(ctx context.Context, m *Message) error {
	text, blocks := m.Incident.headline(m.Event), slackBlocks(m)
	if s.bot == nil {
		return s.post(ctx, text, blocks)
	}
	thread, err := s.say(ctx, m.Thread, m.Event == Escalated, text, blocks)
	var answer slack.SlackErrorResponse
	if m.Thread != "" && errors.As(err, &answer) && slices.Contains(threadGone, answer.Err) {
		thread, err = s.say(ctx, "", false, text, blocks)
	}
	if err == nil && m.Event == Opened {
		m.Thread = thread
	}
	return slackError(err)
}

// threadGone are the answers to a reply whose thread was deleted, or whose
// channel is not the bot's any more: it is said where the bot speaks now.
// Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
var threadGone = []string{"thread_not_found", "message_not_found", "cannot_reply_to_message", "channel_not_found", "not_in_channel", "is_archived"}

// say posts as the bot: into a thread, or anew, and returns the thread that this
// begins. loud shows a reply in the channel as well.
func (s *Slack) say(ctx context.Context, thread string, loud bool, text string, blocks []slack.Block) (string, error) {
	options := []slack.MsgOption{
		slack.MsgOptionText(slackText(text), false), slack.MsgOptionBlocks(blocks...),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(),
	}
	channel := s.channel
	if in, at, ok := strings.Cut(thread, " "); ok {
		channel = in // by its id: the configured one may be another by now
		options = append(options, slack.MsgOptionTS(at))
		if loud {
			options = append(options, slack.MsgOptionBroadcast())
		}
	}
	channel, at, err := s.bot.PostMessageContext(ctx, channel, options...)
	return channel + " " + at, err
}

// Digest posts one message for several incidents.
func (s *Slack) Digest(ctx context.Context, _ string, messages []Message) error {
	title := fmt.Sprintf("%d more incidents", len(messages))
	const listed = 20
	var lines []string
	for i := range messages[:min(len(messages), listed)] {
		in := &messages[i].Incident
		line := "• " + slackText(in.headline(messages[i].Event))
		if in.Link != "" {
			line += " " + slackLink(in.Link, "open")
		}
		lines = append(lines, line)
	}
	if n := len(messages) - listed; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	blocks := []slack.Block{slackHeader(title)}
	// A section holds 3,000 characters, a line at most some 800.
	for from := 0; from < len(lines); from += 3 {
		blocks = append(blocks, slackSection(strings.Join(lines[from:min(from+3, len(lines))], "\n")))
	}
	return s.post(ctx, title, blocks)
}

func (s *Slack) post(ctx context.Context, text string, blocks []slack.Block) error {
	if s.bot != nil {
		_, err := s.say(ctx, "", false, text, blocks)
		return slackError(err)
	}
	return slackError(slack.PostWebhookCustomHTTPContext(ctx, s.webhook, s.client, &slack.WebhookMessage{
		Text: slackText(text), Blocks: &slack.Blocks{BlockSet: blocks},
	}))
}

// slackError makes an error of the library's, without the webhook's URL.
func slackError(err error) error {
	var limited *slack.RateLimitedError
	var status slack.StatusCodeError
	var answer slack.SlackErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limited):
		return &Failure{Err: errors.New("Slack asks to be left alone"), After: limited.RetryAfter}
	case errors.As(err, &status):
		return judge(status.Code, "")
	case errors.As(err, &answer):
		f := &Failure{Err: fmt.Errorf("Slack answered %s", clean(answer.Err, 80))}
		switch answer.Err {
		case "invalid_blocks", "invalid_blocks_format", "msg_too_long", "no_text":
			f.Refused = true
		}
		return f
	}
	return fmt.Errorf("calling Slack: %w", bare(err))
}

// slackBlocks lays an incident out: what, where, why, what to do.
// Source for the limits: https://docs.slack.dev/reference/block-kit/blocks/section-block
func slackBlocks(m *Message) []slack.Block {
	i := &m.Incident
	blocks := []slack.Block{slackHeader(i.headline(m.Event))}
	add := func(title, text string) {
		if text != "" {
			blocks = append(blocks, slackSection("*"+title+"*\n"+text))
		}
	}
	add("What changed", slackList(i.changes()))
	if i.Match != "" {
		add("Match", slackCode(i.Match))
	}
	add("Where", slackPlaces(i))
	add("What was done", slackList(i.Done))
	if i.Closed != nil {
		add("Closed", slackText(i.Closed.Reason)+"\nby "+slackText(i.Closed.By)+", "+i.Closed.At.UTC().Format("2006-01-02 15:04 MST"))
	} else {
		why := i.Verdict
		if len(why) == 0 && i.Why != "" {
			why = []string{i.Why}
		}
		add("Why it is "+slackText(i.Severity), slackList(why))
		add("What to do", slackText(i.Fix))
	}
	add("What rotation does not fix", slackList(i.Unfixed))
	if i.Link != "" {
		blocks = append(blocks, slackSection(slackLink(i.Link, "Open the incident")))
	}
	return blocks
}

func slackPlaces(i *Summary) string {
	const listed = 5
	var lines []string
	for _, p := range i.Places[:min(len(i.Places), listed)] {
		line := "• " + slackCode(p.Repository) + " " + slackCode(fmt.Sprintf("%s:%d", clean(p.Path, 150), p.Line))
		if p.Commit != "" {
			line += " in " + slackCode(short(p.Commit))
		}
		if p.Pusher != "" {
			line += ", pushed by " + slackText(clean(p.Pusher, 60))
		}
		lines = append(lines, line)
	}
	if n := i.Occurrences - len(lines); n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(lines, "\n")
}

func slackList(all []string) string {
	var lines []string
	for _, l := range all[:min(len(all), 4)] {
		lines = append(lines, "• "+slackText(l))
	}
	return strings.Join(lines, "\n")
}

// slackHeader is plain text, in which nothing has a meaning; that entities are
// shown as they are written is not promised, so there are none.
func slackHeader(text string) slack.Block {
	text = strings.NewReplacer("<", "‹", ">", "›").Replace(text)
	return slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, clip(slackCalm(text), 145), false, false))
}

// maxSection is how many characters the text of a section holds; see slackBlocks.
const maxSection = 3000

func slackSection(text string) slack.Block {
	// Verbatim: Slack looks for no names and addresses in it.
	return slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, slackClip(text), false, true), nil, nil)
}

// slackClip cuts a text to what a section holds, and not in the middle of an
// escape or a link. Slack does not say what it counts as a character, so it is
// the most: units of UTF-16. A path of emoji must not get its alert refused.
func slackClip(text string) string {
	units, cut := 0, 0 // of the text so far, and where it may be cut
	for at, r := range text {
		if units < maxSection {
			cut = at
		}
		units += utf16.RuneLen(r)
	}
	if units <= maxSection {
		return text
	}
	text = text[:cut]
	if at := strings.LastIndexAny(text, "&<"); at >= 0 && at > len(text)-12 {
		text = text[:at]
	}
	return text + "…"
}

// slackText escapes the three characters that Slack gives a meaning, which
// also disarms <!channel> and <@user>, and the marks of its Markdown.
// Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
func slackText(s string) string {
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "_\u2060", "~", "∼", "`", "'").Replace(s)
	return slackCalm(s)
}

// slackCalm keeps words that would call a whole channel from doing so, should
// a client or a bridge look for them in plain text.
func slackCalm(s string) string {
	return regexp.MustCompile(`(?i)@(here|channel|everyone)`).ReplaceAllString(s, "@\u2060$1")
}

// slackCode shows a value as it is, as far as a code span can.
func slackCode(s string) string {
	return "`" + slackCalm(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'").Replace(s)) + "`"
}

func slackLink(to, text string) string {
	return "<" + strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(to) + "|" + text + ">"
}

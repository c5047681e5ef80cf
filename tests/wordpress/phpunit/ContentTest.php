<?php
/**
 * What shortcodes, blocks and addresses mean.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Assets;

require_once __DIR__ . '/support/ContentTestCase.php';

final class ContentTest extends ContentTestCase {
	public function test_pages_of_srs_player(): void {
		foreach (
			array(
				'[srs_player url="http://h/live/livestream.flv"]'  => 'http://h/live/livestream.flv',
				"[srs_player src='http://h/live/livestream.flv']"  => 'http://h/live/livestream.flv',
				'[srs_player url="https://h/live/livestream.m3u8" width="720"]' => 'https://h/live/livestream.m3u8',
				'[srs_player url="webrtc://h/live/livestream"]'    => 'webrtc://h/live/livestream',
				'[SRS_PLAYER URL="x.flv"]'                         => null,
				'[srs_player URL="http://h/x.flv"]'                => 'http://h/x.flv',
				'[srs_player url="http://h/x.mp4?a=1&amp;b=2&#038;c=3&d=4"]' => 'http://h/x.mp4?a=1&b=2&c=3&d=4',
				'[srs_player url=”http://h/x.flv”]'                => 'http://h/x.flv',
				'[srs_player url="https://h/rtc/v1/whep/?app=live&amp;stream=x"]' => 'https://h/rtc/v1/whep/?app=live&stream=x',
				'[srs_player url="rtmp://h/live/x"]'               => 'rtmp://h/live/x',
				'[srs_player url="/live/x.flv"]'                   => '/live/x.flv',
				'[srs_player url="//h/live/x.flv"]'                => '//h/live/x.flv',
				'[srs_player url="HTTP://[::1]:8080/live/a b.flv"]' => null,
				'[srs_publisher url="webrtc://h/live/stream-a"]'   => 'webrtc://h/live/stream-a',
				'[srs_publisher url="https://h/rtc/v1/whip/?app=live&stream=x"]' => 'https://h/rtc/v1/whip/?app=live&stream=x',
			) as $written => $url
		) {
			$this->assertSame( $url, self::element( $written )['url'] ?? null, $written );
		}
	}

	/** A bracket ends a shortcode; a block and an array have no such limit. */
	public function test_addresses_with_brackets_and_spaces(): void {
		$html = \Lianmai\Blocks::render( 'player', array( 'url' => 'HTTP://[::1]:8080/live/a b.flv' ) );
		$this->assertSame( 'http://[::1]:8080/live/a%20b.flv', Markup::element( $html )['url'] );
	}

	public function test_booleans(): void {
		foreach (
			array(
				''                    => array( false, true ),
				'autoplay'            => array( true, true ),
				'AutoPlay'            => array( true, true ),
				'autoplay="autoplay" controls="controls"' => array( true, true ),
				'autoplay="true" controls="true"' => array( true, true ),
				'autoplay="1" controls="1"' => array( true, true ),
				'autoplay="on" controls="on"' => array( true, true ),
				'autoplay=yes controls=yes' => array( true, true ),
				'autoplay="TRUE" controls=" true "' => array( true, true ),
				'autoplay="false" controls="false"' => array( false, false ),
				'autoplay="0" controls="0"' => array( false, false ),
				'autoplay="no" controls="no"' => array( false, false ),
				'autoplay="off" controls="off"' => array( false, false ),
				'autoplay="" controls=""' => array( false, false ),
				'autoplay="never" controls="none"' => array( false, false ),
			) as $written => $expected
		) {
			$is = self::element( "[srs_player url=\"http://h/x.flv\" $written]" );
			$this->assertSame( $expected, array( isset( $is['autoplay'] ), isset( $is['controls'] ) ), $written );
		}
	}

	/** As srs-player's did, where the settings say so and the page does not say otherwise. */
	public function test_players_that_begin_by_themselves(): void {
		$is = static function ( string $written ): array {
			$element = self::element( $written );
			return array( isset( $element['autoplay'] ), isset( $element['muted'] ) );
		};
		$silent = array( '[srs_player url="http://h/x.flv"]', "\nwebrtc://h/live/a\n", "\nhttps://h/live/a.m3u8\n", '[embed]https://h/live/a.m3u8[/embed]' );
		foreach ( $silent as $written ) {
			$this->assertSame( array( false, false ), $is( $written ), $written );
		}
		$this->set(
			array(
				'server'   => self::SERVER,
				'autoplay' => true,
			)
		);
		foreach ( $silent as $written ) {
			$this->assertSame( array( true, true ), $is( $written ), $written );
		}
		foreach (
			array(
				'[srs_player url="http://h/x.flv" autoplay]'  => array( true, true ),
				'[srs_player url="http://h/x.flv" muted="0"]' => array( true, false ),
				'[srs_player url="http://h/x.flv" autoplay="false"]' => array( false, false ),
				'[srs_player url="http://h/x.flv" autoplay="off" muted]' => array( false, true ),
				'[video src="https://h/live/a.m3u8"]'         => array( false, false ),
			) as $written => $expected
		) {
			$this->assertSame( $expected, $is( $written ), $written );
		}
		// A block has switches of its own.
		$this->assertArrayNotHasKey( 'autoplay', Markup::element( do_blocks( '<!-- wp:lianmai/player {"url":"http://h/x.flv"} /-->' ) ) );
		$this->assertArrayNotHasKey( 'autoplay', self::element( '[srs_publisher stream="live/a"]' ) );
	}

	/** A site may have other defaults by WordPress's own filter. */
	public function test_other_defaults(): void {
		$filter = static function ( $attributes, $defaults, $written ) {
			return array_merge(
				array(
					'autoplay' => true,
					'muted'    => true,
				),
				$written
			) + $attributes;
		};
		add_filter( 'shortcode_atts_srs_player', $filter, 10, 3 );
		$all  = self::element( '[srs_player url="http://h/x.flv"]' );
		$some = self::element( '[srs_player url="http://h/x.flv" muted="0"]' );
		remove_filter( 'shortcode_atts_srs_player', $filter );
		$this->assertTrue( isset( $all['autoplay'], $all['muted'], $all['controls'] ) );
		$this->assertTrue( isset( $some['autoplay'] ) && ! isset( $some['muted'] ) );
	}

	public function test_sizes(): void {
		foreach (
			array(
				''                        => array( '', null, null ),
				'width="100%"'            => array( '', null, null ),
				'width="720"'             => array( 'width:720px;max-width:100%;', '720', null ),
				'width="720px"'           => array( 'width:720px;max-width:100%;', '720', null ),
				'width="50%"'             => array( 'width:50%;max-width:100%;', null, null ),
				'width="640" height="360"' => array( 'width:640px;max-width:100%;', '640', '360' ),
				'height="360px"'          => array( '', null, '360' ),
				'ratio="4:3"'             => array( 'aspect-ratio:4/3;', null, null ),
				'ratio="4 / 3" width=300' => array( 'width:300px;max-width:100%;aspect-ratio:4/3;', '300', null ),
				'width="wide" ratio="4"'  => array( '', null, null ),
			) as $written => $expected
		) {
			$is = self::element( "[srs_player url=\"http://h/x.flv\" $written]" );
			$this->assertSame( $expected, array( $is['in'], $is['width'] ?? null, $is['height'] ?? null ), $written );
		}
		$is = self::element( '[srs_publisher stream="live/a" width="320"]' );
		$this->assertSame( array( 'width:320px;max-width:100%;', false ), array( $is['in'], isset( $is['width'] ) ) );
		$is = self::element( '[srs_publisher stream="live/a" width="1280" height="720"]' );
		$this->assertSame( array( '1280', '720' ), array( $is['width'], $is['height'] ) );
	}

	public function test_values(): void {
		$is = self::element( '[srs_player url="http://h/x.flv" protocol="WS-FLV" latency=realtime preload=auto retry=3 title="A &quot;b&quot; &amp; c" offline="Back at 8" poster="/p.jpg" captions="https://h/c.vtt" class="one two -3 alignwide" loop viewers stats]' );
		$this->assertSame(
			array( 'ws-flv', 'realtime', 'auto', '3', 'A "b" & c', 'Back at 8', '/p.jpg', 'https://h/c.vtt' ),
			array( $is['protocol'], $is['latency'], $is['preload'], $is['retry'], $is['title'], $is['offline'], $is['poster'], $is['captions'] )
		);
		$this->assertStringEndsWith( ' one two alignwide', $is['box'] );
		$this->assertTrue( isset( $is['loop'], $is['viewers'], $is['stats'] ) );

		$is = self::element( '[srs_player url="http://h/x.flv" protocol=rtsp latency=low preload=none retry=-1 poster="webrtc://h/a/b"]' );
		foreach ( array( 'protocol', 'latency', 'preload', 'retry', 'poster' ) as $name ) {
			$this->assertArrayNotHasKey( $name, $is );
		}

		$is = self::element( '[srs_publisher stream="live/a" source="screen" bitrate="9999999" preview class="mine"]' );
		$this->assertSame( array( 'screen', '100000' ), array( $is['source'], $is['bitrate'] ) );
		$this->assertStringEndsWith( ' mine', $is['box'] );
		$this->assertTrue( isset( $is['preview'] ) );
		$this->assertArrayNotHasKey( 'preview', self::element( '[srs_publisher stream="live/a"]' ) );
	}

	public function test_streams(): void {
		foreach (
			array(
				'auto'   => '/live/x/whep',
				'webrtc' => '/live/x/whep',
				'flv'    => '/live/x.flv',
				'hls'    => '/live/x.m3u8',
				'ts'     => '/live/x.ts',
			) as $protocol => $path
		) {
			$this->assertSame( self::SERVER . $path, self::element( "[srs_player stream=\"/live/x\" protocol=\"$protocol\"]" )['url'] );
		}
		$this->assertSame( 'wss://live.example.test:8443/live/x.flv', self::element( '[srs_player stream="live/x" protocol="ws-flv"]' )['url'] );
		$this->assertSame( 'http://h/base/a/b%40c/x/whep', self::element( '[srs_player stream="a/b@c/x" server="http://h/base/"]' )['url'] );
		$this->assertSame( self::SERVER . '/live/x/whip', self::element( '[srs_publisher stream="live/x?secret=abc"]' )['url'] );
	}

	public function test_what_is_amiss_is_told_to_who_can_edit(): void {
		$cases = array( '[srs_player]', '[srs_player url="javascript:alert(1)"]', '[srs_player url="localhost:8080/live/x.flv"]', '[srs_player stream="x"]', '[srs_publisher stream="../x"]' );
		foreach ( $cases as $written ) {
			$this->assertSame( '', self::page( $written ), $written );
		}
		wp_set_current_user( 1 );
		foreach ( $cases as $written ) {
			$this->assertStringStartsWith( '<p class="lianmai-note">Lianmai: ', self::page( $written ), $written );
		}
		$this->assertStringContainsString( '“../x” is not the name', self::page( '[srs_publisher stream="../x"]' ) );
		$this->set( array() );
		$note = self::page( '[srs_player stream="live/x"]' );
		$this->assertStringContainsString( 'Settings → Lianmai', $note );
		$this->assertStringContainsString( '<a href="' . esc_url( \Lianmai\SettingsPage::address() ) . '">', $note );
		// Who cannot open the settings is told who can.
		$author = static function ( array $all ): array {
			unset( $all['manage_options'] );
			return $all;
		};
		add_filter( 'user_has_cap', $author );
		$note = self::page( '[srs_player stream="live/x"]' );
		remove_filter( 'user_has_cap', $author );
		$this->assertStringContainsString( 'administrator', $note );
		$this->assertStringNotContainsString( '<a ', $note );
	}

	/** As phones, word processors and other languages write them, alone, in pairs and mixed. */
	public function test_quotation_marks_of_any_kind(): void {
		$pairs = array( '”|”', '“|”', '„|“', '‟|”', '«|»', '»|«', '‘|’', '‚|‘', '‹|›', '″|″', '′|′', '‶|″', '〝|〞', '＂|＂', '＇|＇', '`|`', '´|´', '「|」', '『|』', "'|'", '"|"', '”|"', '"|”', '’|\'', '““|””', '« | »', "«\u{a0}|\u{a0}»", "«\u{202f}|\u{202f}»" );
		foreach ( array( 'quot', '#34', '#x22', 'ldquo', 'rdquo', 'bdquo', 'laquo', 'raquo', 'lsquo', 'rsquo', 'sbquo', 'Prime', 'prime', '#8220', '#8221', '#08221', '#x201D', '#x201d', '#8222', '#8243', '#8242', '#8216', '#8217', '#39', '#039', 'apos', '#171', 'amp;#8221', 'amp;rdquo' ) as $entity ) {
			$pairs[] = "&$entity;|&$entity;";
		}
		foreach ( $pairs as $pair ) {
			list( $open, $close ) = explode( '|', $pair );
			$written = "[srs_player stream={$open}live/a{$close} protocol={$open}flv{$close} title={$open}Two good words{$close} width={$open}640{$close} muted={$open}true{$close} autoplay controls={$open}0{$close}]";
			$html    = do_shortcode( $written );
			$is      = Markup::element( $html );
			$this->assertSame(
				array( self::SERVER . '/live/a.flv', 'Two good words', '640', true, true, false ),
				array( $is['url'] ?? '', $is['title'] ?? '', $is['width'] ?? '', isset( $is['muted'] ), isset( $is['autoplay'] ), isset( $is['controls'] ) ),
				"$written $html"
			);
			$this->assertSame( array(), Markup::findings( $html ), $written );
		}
		foreach (
			array(
				'title=’It’s Anna’s “first” show’'      => 'It’s Anna’s “first” show',
				'title=“The ‘first’ show, and more”'    => 'The ‘first’ show, and more',
				'title="“Hello” she said"'              => '“Hello” she said',
				'title=”5 & "7" of 8”'                  => '5 & "7" of 8',
				'title = “a b”'                         => 'a b',
				'title＝“a b”'                           => 'a b',
			) as $written => $title
		) {
			// A bracket within a value would be a tag to WordPress itself.
			if ( false === strpos( $written, '<' ) ) {
				$this->assertSame( $title, self::element( "[srs_player stream=”live/a” $written]" )['title'] ?? '', $written );
			}
			$this->assertSame( $title, Markup::element( (string) \Lianmai\Shortcodes::with_other_quotes( false, 'srs_player', array(), array( 3 => " stream=”live/a” $written" ) ) )['title'] ?? '', $written );
		}
		// As a post holds it that went through the visual editor, and one mark alone.
		foreach ( array( '<p>[srs_publisher stream=&#8221;live/a&#8221;]</p>', '[srs_publisher stream=”live/a]', '[srs_publisher stream=live/a”]', '[srs_publisher stream=&#8221;live/a&#8221; /]' ) as $written ) {
			$this->assertSame( self::SERVER . '/live/a/whip', self::element( $written )['url'] ?? '', $written );
		}
		// What is right is left to WordPress, with its filters.
		$this->assertFalse( \Lianmai\Shortcodes::with_other_quotes( false, 'srs_player', array(), array( 3 => ' stream="live/a" title=\'b ”c”\'' ) ) );
		$this->assertSame( 'x', \Lianmai\Shortcodes::with_other_quotes( 'x', 'srs_player', array(), array( 3 => ' stream=”live/a”' ) ) );
		$this->assertFalse( \Lianmai\Shortcodes::with_other_quotes( false, 'gallery', array(), array( 3 => ' ids=”1”' ) ) );
	}

	/** The name of a stream is often written as its address, or with its ending. */
	public function test_names_that_are_addresses(): void {
		$whep = self::SERVER . '/live/a/whep';
		foreach (
			array(
				'live/a.flv'                                => self::SERVER . '/live/a.flv',
				'/live/a.FLV'                               => self::SERVER . '/live/a.flv',
				'live/a.m3u8'                               => self::SERVER . '/live/a.m3u8',
				'live/a.m3u8?token=x'                       => self::SERVER . '/live/a.m3u8',
				'live/a.ts'                                 => self::SERVER . '/live/a.ts',
				' /live/a/ '                                => $whep,
				'live/a/whep'                               => $whep,
				'/live/a/whip/'                             => $whep,
				'live/a?secret=x'                           => $whep,
				self::SERVER . '/live/a'                    => $whep,
				self::SERVER . '/live/a/'                   => $whep,
				self::SERVER . '/live/a.flv'                => self::SERVER . '/live/a.flv',
				self::SERVER . '/live/a.m3u8'               => self::SERVER . '/live/a.m3u8',
				self::SERVER . '/live/a/whep'               => $whep,
				'https://other.test/live/a'                 => 'https://other.test/live/a/whep',
				'http://other.test:8080/live/a.flv'         => 'http://other.test:8080/live/a.flv',
				'webrtc://live.example.test:8443/live/a'    => 'webrtc://live.example.test:8443/live/a',
				'rtmp://live.example.test/live/a'           => $whep,
				'rtmp://live.example.test:1935/live/a?secret=x' => $whep,
				'rtmp://other.test/live/a'                  => 'rtmp://other.test/live/a',
				'wss://live.example.test:8443/live/a.flv'   => 'wss://live.example.test:8443/live/a.flv',
				'https://other.test/rtc/v1/whep/?app=live&amp;stream=a' => 'https://other.test/rtc/v1/whep/?app=live&stream=a',
			) as $written => $url
		) {
			$this->assertSame( $url, self::element( "[srs_player stream=\"$written\"]" )['url'] ?? '', $written );
			$this->assertSame( $url, self::element( "[srs_player stream=”{$written}”]" )['url'] ?? '', $written );
			$this->assertSame( $url, Markup::element( \Lianmai\Blocks::render( 'player', array( 'stream' => html_entity_decode( $written ) ) ) )['url'] ?? '', $written );
		}
		$this->assertSame( $whep, self::element( '[srs_player url="rtmp://live.example.test/live/a"]' )['url'] );
		$this->assertSame( self::SERVER . '/live/a.m3u8', self::element( '[srs_player stream="live/a.flv" protocol="hls"]' )['url'] );
		$this->assertSame( 'live/a', \Lianmai\Ticket::read( self::element( '[srs_publisher stream="' . self::SERVER . '/live/a.flv"]' )['data-ticket'] )['stream'] );
	}

	public function test_pages_are_the_same_for_everybody(): void {
		$content = '[srs_player stream="live/a"][srs_publisher stream="live/b"]';
		$visitor = self::page( $content );
		wp_set_current_user( 1 );
		$this->assertSame( $visitor, self::page( $content ) );
		$this->assertSame( 2, substr_count( $visitor, 'data-lianmai' ) );
		$this->assertStringContainsString( 'lianmai-publisher" hidden>', $visitor );
	}

	public function test_blocks(): void {
		$is = self::element( '<!-- wp:lianmai/player {"stream":"live/a","autoplay":true,"controls":false,"align":"wide","className":"mine"} /-->' );
		$this->assertSame( self::SERVER . '/live/a/whep', $is['url'] );
		$this->assertTrue( isset( $is['autoplay'] ) && ! isset( $is['controls'] ) );
		$this->assertStringEndsWith( ' mine alignwide', $is['box'] );
		$is = self::element( '<!-- wp:lianmai/publisher {"stream":"live/a","source":"audio"} /-->' );
		$this->assertSame( 'audio', $is['source'] );
		// The same player, written in both ways.
		$this->assertSame(
			self::element( '<!-- wp:lianmai/player {"url":"http://h/x.flv?a=1&amp;b=2","ratio":"4:3","muted":true} /-->' ),
			self::element( '[srs_player url="http://h/x.flv?a=1&amp;b=2" ratio="4:3" muted]' )
		);
	}

	public function test_core_video(): void {
		$is = self::element( '[video src="https://h/live/a.m3u8" width="640" height="360" autoplay="1" poster="/p.jpg"]' );
		$this->assertSame( array( 'https://h/live/a.m3u8', '640', '/p.jpg' ), array( $is['url'], $is['width'], $is['poster'] ) );
		$this->assertTrue( isset( $is['autoplay'], $is['controls'] ) );
		foreach ( array( '[video src="webrtc://h/live/a"]', '[video flv="http://h/live/a.flv"]', '[video src="http://h/live/a.flv?x=1"][/video]' ) as $written ) {
			$this->assertNotSame( array(), self::element( $written ), $written );
		}
		$this->assertSame( array(), self::element( '[video src="https://h/a.mp4"]' ) );
	}

	public function test_addresses_on_lines_of_their_own(): void {
		foreach (
			array(
				'https://h/live/a.m3u8',
				"before\n\nhttp://h/live/a.flv?x=1\n\nafter",
				'webrtc://h/live/a',
				"before\nwebrtc://h/live/a?x=1&amp;y=2\nafter",
				"before\r\n\r\n  webrtc://h/live/a\r\n\r\nafter",
				'<p>webrtc://h/live/a</p>',
				'<!-- wp:paragraph --><p class="x">webrtc://h/live/a</p><!-- /wp:paragraph -->',
				'[embed]webrtc://h/live/a[/embed]',
				'[embed width="400"]https://h/live/a.m3u8[/embed]',
				"<!-- wp:embed --><figure class=\"wp-block-embed\"><div class=\"wp-block-embed__wrapper\">\nhttps://h/live/a.m3u8\n</div></figure><!-- /wp:embed -->",
			) as $written
		) {
			$is = self::element( $written );
			$this->assertMatchesRegularExpression( '~^(https?|webrtc)://h/live/a~', $is['url'] ?? '', $written );
		}
		foreach (
			array(
				'See webrtc://h/live/a here',
				'<p>See webrtc://h/live/a</p>',
				"<pre>\nwebrtc://h/live/a\n</pre>",
				"<pre>\nhttps://h/live/a.m3u8\n</pre>",
				"<pre><code>\nwebrtc://h/live/a\nhttps://h/live/a.flv\n</code></pre>",
				"<p><code>\nwebrtc://h/live/a\n</code></p>",
				"<!-- wp:code --><pre class=\"wp-block-code\"><code>webrtc://h/live/a\nhttps:&#47;&#47;h/live/a.m3u8</code></pre><!-- /wp:code -->",
				'<a href="webrtc://h/live/a">webrtc://h/live/a</a>',
				'webrtc://h',
				'https://h/page.html',
			) as $written
		) {
			$this->assertStringNotContainsString( 'srs-player', self::page( $written ), $written );
		}
		$this->assertStringContainsString( 'https&#58;//h/live/a.m3u8', self::page( "<pre>\nhttps://h/live/a.m3u8\n</pre>" ) );
	}

	/** In place of an empty box, by the style; a publisher stays hidden. */
	public function test_without_scripts_a_sentence_stands_there(): void {
		foreach ( array( '[srs_player stream="live/a"]', "\nwebrtc://h/live/a\n" ) as $written ) {
			$this->assertSame( 'Watching this needs JavaScript.', self::element( $written )['data-without'] ?? '', $written );
		}
		$this->assertStringNotContainsString( 'JavaScript', self::page( '[srs_publisher stream="live/a"]' ) );
	}

	/** Where tags are taken away (widgets, lists, mails), a link to the page with the player is left. */
	public function test_what_is_left_without_tags_is_a_link(): void {
		foreach ( array( '' => 'Watch live', ' title="Mass & [more]"' => 'Mass &amp; [more]' ) as $more => $text ) {
			$html = wp_kses_post( do_shortcode( '[srs_player stream="live/a"' . str_replace( array( '[', ']' ), array( '&#91;', '&#93;' ), $more ) . ']' ) );
			$this->assertStringNotContainsString( 'JavaScript', $html );
			$this->assertStringNotContainsString( 'srs-', $html );
			$this->assertStringContainsString( '<a href="' . get_permalink( self::$post ) . '">', $html );
			$this->assertSame( $text, str_replace( array( '&#91;', '&#093;', '&#93;', '&#x5B;', '&#x5D;' ), array( '[', ']', ']', '[', ']' ), trim( wp_strip_all_tags( $html ) ) ) );
		}
		$this->assertSame( '', trim( wp_strip_all_tags( wp_kses_post( do_shortcode( '[srs_publisher stream="live/a"]' ) ) ) ) );
	}

	public function test_feeds_have_a_link(): void {
		$GLOBALS['wp_query']->is_feed = true;
		try {
			$page = self::page( '[srs_player stream="live/a" title="Mass"] [srs_publisher stream="live/b"]' );
		} finally {
			$GLOBALS['wp_query']->is_feed = false;
		}
		$this->assertStringContainsString( '<a href="' . esc_url( get_permalink( self::$post ) ) . '">Mass</a>', $page );
		$this->assertStringNotContainsString( 'srs-', $page );
	}

	public function test_assets_come_with_the_first_player(): void {
		wp_dequeue_script( Assets::VIEW );
		wp_dequeue_style( Assets::VIEW );
		self::page( 'nothing, [srs_player] and [srs_player url="javascript:x"]' );
		get_the_excerpt( self::$post );
		wp_trim_excerpt( '', get_post( self::$post ) );
		$this->assertFalse( wp_script_is( Assets::VIEW ) );
		$this->assertFalse( wp_style_is( Assets::VIEW ) );

		self::page( '[srs_player stream="live/a"][srs_player stream="live/b"]' );
		$this->assertTrue( wp_script_is( Assets::VIEW ) );
		$this->assertTrue( wp_style_is( Assets::VIEW ) );
		// Whoever enqueues the handle gets it with what the script must know.
		ob_start();
		wp_scripts()->do_item( Assets::VIEW );
		$printed = (string) ob_get_clean();
		$this->assertSame( 1, preg_match( '~^<script (?=[^>]*id="lianmai-config")(?=[^>]*type="application/json")[^>]*>(.*?)</script>\s*<script [^>]*/assets/view\.js~s', $printed, $is ), $printed );
		$config = json_decode( $is[1], true );
		$this->assertSame( array( 'modules', 'player', 'publisher', 'chat', 'room', 'rest', 'nonce', 'words' ), array_keys( $config ) );
		$this->assertSame( plugins_url( 'build/', \Lianmai\FILE ), $config['modules'] );
		$this->assertStringStartsWith( home_url(), $config['modules'] );
		$this->assertStringNotContainsString( wp_create_nonce( 'wp_rest' ), $printed );
	}

	/** A part of a page that a script puts into another one brings the script, the style, and what they must know. */
	public function test_a_part_of_a_page_brings_what_it_needs(): void {
		$this->assertStringNotContainsString( 'view.js', self::page( '[srs_player stream="live/a"]' ) );
		foreach ( array( 'HTTP_X_REQUESTED_WITH' => 'XMLHttpRequest', 'HTTP_SEC_FETCH_DEST' => 'empty', 'HTTP_HX_REQUEST' => 'true' ) as $header => $value ) {
			$_SERVER[ $header ] = $value;
			$page               = self::page( '[srs_player stream="live/a"]' );
			unset( $_SERVER[ $header ] );
			$this->assertMatchesRegularExpression( '~<link rel="stylesheet" href="[^"]*/assets/view\.css\?ver=[^"]+"><script src="[^"]*/assets/view\.js\?ver=[^"]+" defer></script><srs-player~', $page, $header );
			$box    = Markup::body( $page )->getElementsByTagName( 'div' )->item( 0 );
			$config = json_decode( $box->getAttribute( 'data-lianmai-config' ), true );
			$this->assertSame( plugins_url( 'build/', \Lianmai\FILE ), $config['modules'] );
		}
		$_SERVER['HTTP_SEC_FETCH_DEST'] = 'document';
		$page                           = self::page( '[srs_player stream="live/a"]' );
		unset( $_SERVER['HTTP_SEC_FETCH_DEST'] );
		$this->assertStringNotContainsString( 'view.js', $page );
	}

	/** Where themes fetch more of the site, every page has the script, if the settings or a filter say so. */
	public function test_every_page_may_have_the_script(): void {
		foreach ( array( 'settings', 'filter' ) as $how ) {
			wp_dequeue_script( Assets::VIEW );
			Assets::everywhere();
			$this->assertFalse( wp_script_is( Assets::VIEW ) );
			$this->set( array( 'everywhere' => 'settings' === $how ) );
			if ( 'filter' === $how ) {
				add_filter( 'lianmai_everywhere', '__return_true' );
			}
			Assets::everywhere();
			$this->set( array() );
			remove_all_filters( 'lianmai_everywhere' );
			$this->assertTrue( wp_script_is( Assets::VIEW ), $how );
		}
	}

	/** An excerpt of a post that is an address alone loads nothing. */
	public function test_excerpts_load_nothing(): void {
		wp_dequeue_script( Assets::VIEW );
		$post = wp_insert_post(
			array(
				'post_title'   => 'Excerpt',
				'post_status'  => 'publish',
				'post_content' => "Words\n\nwebrtc://h/live/a\n\n[srs_player stream=\"live/a\"]\n\n<!-- wp:lianmai/player {\"stream\":\"live/a\"} /-->",
			)
		);
		$text = get_the_excerpt( $post );
		wp_delete_post( $post, true );
		$this->assertStringStartsWith( 'Words', $text );
		$this->assertFalse( wp_script_is( Assets::VIEW ) );
	}
}

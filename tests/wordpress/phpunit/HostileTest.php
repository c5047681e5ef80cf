<?php
/**
 * Hostile values in every attribute of shortcodes, blocks and embeds.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Attributes;
use Lianmai\Blocks;
use Lianmai\Shortcodes;

require_once __DIR__ . '/support/ContentTestCase.php';
require_once __DIR__ . '/support/Hostile.php';

final class HostileTest extends ContentTestCase {
	/**
	 * How many were tried, and what was found.
	 *
	 * @var int
	 */
	private static $cases = 0;

	/**
	 * What was found.
	 *
	 * @var string[]
	 */
	private static $found = array();

	public static function tearDownAfterClass(): void {
		parent::tearDownAfterClass();
		fwrite( STDOUT, sprintf( "\nhostile attributes: %d findings in %d cases\n", count( self::$found ), self::$cases ) );
	}

	protected function setUp(): void {
		parent::setUp();
		// Who may edit sees sentences too.
		wp_set_current_user( 1 );
	}

	/** What an attribute needs around it, so that it comes to be written. */
	private static function around( string $name ): array {
		if ( 'room' === $name ) {
			return array( 'server' => 'https://live.example.test' );
		}
		return in_array( $name, array( 'url', 'src', 'stream', 'server' ), true ) ? array( 'stream' => 'live/a', 'room' => 'friday-show' ) : array( 'room' => 'friday-show', 'url' => 'webrtc://live.example.test/live/a' );
	}

	/**
	 * Looks at one case.
	 *
	 * @param string $what for a reader.
	 * @param string $html of the renderer alone.
	 */
	private static function look( string $what, string $html ): void {
		++self::$cases;
		foreach ( Markup::findings( $html ) as $finding ) {
			self::$found[] = mb_substr( "$what: $finding", 0, 300 );
		}
	}

	/** No test of this class has found anything. */
	private static function assertNothing(): void {
		self::assertSame( array(), array_slice( self::$found, 0, 10 ) );
	}

	/** What is looked for is seen. */
	public function test_findings_are_found(): void {
		$player = '<div class="lianmai lianmai-player wp-block-lianmai-player"><srs-player url="%s"%s></srs-player></div>';
		$this->assertSame( array(), Markup::findings( sprintf( $player, 'http://h/a.flv', ' muted' ) ) );
		foreach (
			array(
				sprintf( $player, 'javascript:alert(1)', '' ),
				sprintf( $player, "java\tscript:alert(1)", '' ),
				sprintf( $player, 'javascript&#58;alert(1)', '' ),
				sprintf( $player, 'x', ' onclick="alert(1)"' ),
				sprintf( $player, 'x', ' style="position:fixed"' ),
				sprintf( $player, 'x', ' title="<b>"' ),
				sprintf( $player, 'x"><script>alert(1)</script>', '' ),
				sprintf( $player, "x\xff", '' ),
				'<style>#x { width: 1px; } </style>',
				'<div class="lianmai lianmai-player wp-block-lianmai-player" style="width:1px;position:fixed"></div>',
			) as $html
		) {
			$this->assertNotSame( array(), Markup::findings( $html ), $html );
		}
	}

	public function test_shortcodes(): void {
		foreach ( Attributes::WHO as $who ) {
			foreach ( array_keys( Attributes::of( $who ) ) as $name ) {
				foreach ( array_merge( Hostile::texts(), Hostile::things() ) as $number => $value ) {
					self::look( "srs_$who $name #$number", Shortcodes::shortcode( $who, array( $name => $value ) + self::around( $name ) ) );
				}
			}
		}
		self::assertNothing();
	}

	public function test_names_that_are_no_attributes(): void {
		foreach ( Attributes::WHO as $who ) {
			foreach ( Hostile::texts() as $number => $name ) {
				self::look( "srs_$who name #$number", Shortcodes::shortcode( $who, array( $name => 'x', 'url' => 'http://h/a.flv', 'room' => 'friday-show', 0 => $name, 'onclick' => $name, 'style' => $name, 'data-ticket' => $name ) ) );
			}
		}
		self::assertNothing();
	}

	public function test_blocks(): void {
		foreach ( Attributes::WHO as $who ) {
			foreach ( array_merge( array_keys( Attributes::of( $who ) ), array( 'className', 'align', 'style', 'onclick' ) ) as $name ) {
				foreach ( array_merge( Hostile::texts(), Hostile::things() ) as $number => $value ) {
					$attributes = array( $name => $value ) + self::around( $name );
					self::look( "lianmai/$who $name #$number", Blocks::render( $who, $attributes ) );
					// As the post holds it: what is not UTF-8 is not JSON.
					$json = wp_json_encode( $attributes, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_QUOT );
					foreach ( false === $json ? array() : parse_blocks( "<!-- wp:lianmai/$who $json /-->" ) as $block ) {
						self::look( "lianmai/$who $name #$number in a post", self::core( render_block( $block ) ) );
					}
				}
			}
		}
		self::assertNothing();
	}

	/** What the block is without what WordPress adds to classes of every block by itself. */
	private static function core( string $html ): string {
		return (string) preg_replace( '/ (?:wp-elements-|is-layout-|wp-custom-css-)[\w-]+/', '', $html );
	}

	public function test_pages(): void {
		foreach ( Attributes::WHO as $who ) {
			foreach ( array_keys( Attributes::of( $who ) ) as $name ) {
				foreach ( Hostile::texts() as $number => $value ) {
					$page = self::page( "[srs_$who url='http://h/a.flv' " . ( 'room' === $name ? '' : "room='friday-show' " ) . "$name=\"$value\"]" );
					foreach ( self::boxes( $page ) as $box ) {
						self::look( "page srs_$who $name #$number", $box );
					}
				}
			}
		}
		self::assertNothing();
	}

	public function test_embeds(): void {
		foreach ( Hostile::texts() as $number => $value ) {
			foreach ( array( '%s', 'webrtc://h/live/%s', "https://h/live/a.m3u8?%s", '<p>webrtc://h/live/a?%s</p>', '[embed]%s[/embed]', '[embed]webrtc://%s/a/b[/embed]', '[video src="https://h/%s.m3u8"]', '[video src="https://h/a.m3u8" class="%s" width="%s" poster="%s"]' ) as $form ) {
				foreach ( self::boxes( self::page( str_replace( '%s', $value, $form ) ) ) as $box ) {
					self::look( "$form #$number", $box );
				}
			}
		}
		self::assertNothing();
		$this->assertGreaterThanOrEqual( 500, self::$cases );
	}

	/** A shortcode in a title stays a title, however often WordPress looks for shortcodes. */
	public function test_shortcodes_in_attributes(): void {
		$block = '<!-- wp:lianmai/player {"url":"webrtc://h/live/a","title":"[srs_player url=http://h/b.flv]"} /-->';
		$html  = do_shortcode( do_shortcode( do_blocks( $block ) ) );
		$this->assertSame( '[srs_player url=http://h/b.flv]', Markup::element( $html )['title'] );
		$this->assertSame( array(), Markup::findings( $html ) );
	}

	/**
	 * The boxes of ours on a page.
	 *
	 * @param string $page whose other content is its author's.
	 * @return string[]
	 */
	private static function boxes( string $page ): array {
		preg_match_all( '~<div class="lianmai\b.*?</div>~s', $page, $boxes );
		return $boxes[0];
	}
}

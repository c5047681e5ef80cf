<?php
/**
 * Secrets move from posts to the settings.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\PostSecrets;
use Lianmai\Settings;
use Lianmai\SiteHealth;
use Lianmai\Texts;

require_once __DIR__ . '/support/Site.php';

final class PostSecretsTest extends Site {
	private const SHORTCODE = '[srs_publisher url="webrtc://live.example.com/live/a?secret=s1&amp;vhost=v"] and <a href="https://else.example/?a=1&amp;b=2">more</a>';
	private const BLOCK     = '<!-- wp:lianmai/publisher {"url":"webrtc://live.example.com/live/b?x=1\u0026secret=s1\u0026y=2"} /-->';

	protected function setUp(): void {
		parent::setUp();
		self::set_server( 'https://live.example.com' );
	}

	public function test_the_secret_moves_and_the_rest_of_the_text_stays(): void {
		$one      = self::written( self::SHORTCODE );
		$two      = self::written( self::BLOCK );
		$revision = self::written( 'Before: ' . self::SHORTCODE, 'revision', $one );
		$clean    = self::written( '[srs_player url="webrtc://live.example.com/live/c?vhost=v"] <script>mine()</script>' );
		$modified = get_post( $one )->post_modified;
		$this->assertEqualsCanonicalizing( array( $one, $two ), array_keys( PostSecrets::find() ) );
		$this->assertSame( 'critical', SiteHealth::secrets()['status'] );

		$this->assertStringContainsString( '2 posts', PostSecrets::move() );

		$this->assertSame( 's1', Settings::secret() );
		$this->assertSame( str_replace( 'secret=s1&amp;', '', self::SHORTCODE ), get_post( $one )->post_content );
		$this->assertSame( str_replace( 'secret=s1\u0026', '', self::BLOCK ), get_post( $two )->post_content );
		$this->assertSame( 'Before: ' . str_replace( 'secret=s1&amp;', '', self::SHORTCODE ), get_post( $revision )->post_content );
		$this->assertStringContainsString( '<script>mine()</script>', get_post( $clean )->post_content );
		$this->assertSame( $modified, get_post( $one )->post_modified );
		$this->assertSame( array(), PostSecrets::find() );
		$this->assertSame( 'good', SiteHealth::secrets()['status'] );
		$this->assertStringContainsString( '0 posts', PostSecrets::move(), 'Once more finds nothing.' );
	}

	public function test_of_several_secrets_only_that_of_the_settings_goes(): void {
		$one   = self::written( '[srs_publisher url="webrtc://live.example.com/live/a?secret=s1"]' );
		$other = self::written( '[srs_publisher url="webrtc://live.example.com/live/a?secret=s12"] [srs_publisher url="webrtc://live.example.com/live/a?secret=s1"]' );
		$this->assertStringContainsString( 'different secrets', PostSecrets::move() );
		$this->assertSame( '', Settings::secret() );
		Settings::keep_secret( 's1' );
		$this->assertStringContainsString( '1 post still holds', PostSecrets::move() );
		$this->assertStringNotContainsString( 's1', get_post( $one )->post_content );
		$this->assertSame( '[srs_publisher url="webrtc://live.example.com/live/a?secret=s12"] [srs_publisher url="webrtc://live.example.com/live/a"]', get_post( $other )->post_content );
	}

	public function test_a_secret_of_another_server_is_not_given_to_ours(): void {
		$post = self::written( '[srs_publisher url="webrtc://else.example/live/a?secret=s1"]' );
		PostSecrets::move();
		$this->assertSame( '', Settings::secret() );
		$this->assertStringContainsString( 's1', get_post( $post )->post_content );
		self::set_server( '' );
		$this->assertStringContainsString( 'Set the server’s address first', PostSecrets::move() );
	}

	public function test_the_report_shows_no_secret(): void {
		self::log_in( self::person( 'administrator' ) );
		self::written( self::SHORTCODE );
		$result = (string) wp_json_encode( SiteHealth::secrets() );
		$this->assertStringContainsString( 'lianmai_move_secrets', $result );
		$this->assertStringNotContainsString( 's1', str_replace( '_wpnonce=', '', preg_replace( '/_wpnonce=[0-9a-f]+/', '', $result ) ) );
		self::log_in( self::person( 'editor' ) );
		$this->assertStringNotContainsString( 'lianmai_move_secrets', (string) wp_json_encode( SiteHealth::secrets() ) );
	}

	public function test_more_posts_than_one_batch_are_found(): void {
		for ( $i = 0; $i < 105; $i++ ) {
			self::written( '[srs_player url="webrtc://live.example.com/live/' . $i . '?secret=s1"]' );
		}
		$this->assertCount( 105, PostSecrets::find() );
		$this->assertStringContainsString( '105 posts', PostSecrets::move() );
	}

	/** Addresses become players without any shortcode of ours. */
	public function test_bare_addresses_and_videos_are_found(): void {
		$line  = self::written( "Live:\n\nhttps://live.example.com/live/a.flv?secret=s1\n\nnow" );
		$video = self::written( '[video src="https://live.example.com/live/a.m3u8?secret=s1"]' );
		$this->assertEqualsCanonicalizing( array( $line, $video ), array_keys( PostSecrets::find() ) );
		$this->assertStringContainsString( '2 posts', PostSecrets::move() );
		$this->assertSame( "Live:\n\nhttps://live.example.com/live/a.flv\n\nnow", get_post( $line )->post_content );
		$this->assertSame( '[video src="https://live.example.com/live/a.m3u8"]', get_post( $video )->post_content );
	}

	public function test_widgets_are_searched_and_cleaned(): void {
		$block = array(
			2              => array( 'content' => self::BLOCK ),
			3              => array( 'content' => '<p>Nothing</p>' ),
			'_multiwidget' => 1,
		);
		update_option( 'widget_block', $block );
		update_option( 'widget_text', array( 5 => array( 'title' => 'Live', 'text' => 'https://live.example.com/live/a.flv?secret=s1' ), '_multiwidget' => 1 ) );
		update_option( 'widget_custom_html', 'broken' );
		$this->assertSame( array( Texts::WIDGETS ), array_keys( PostSecrets::find() ) );
		$result = SiteHealth::secrets();
		$this->assertSame( array( 'critical', 'Widgets hold a stream’s secret' ), array( $result['status'], $result['label'] ) );
		$this->assertStringContainsString( 'widgets.php', $result['description'] );

		$this->assertSame( 'The secret is in the settings, and out of 0 posts and their revisions. It is out of the widgets too.', PostSecrets::move() );
		$this->assertSame( 's1', Settings::secret() );
		$block[2]['content'] = str_replace( 'secret=s1\u0026', '', self::BLOCK );
		$this->assertSame( $block, get_option( 'widget_block' ) );
		$this->assertSame( 'https://live.example.com/live/a.flv', get_option( 'widget_text' )[5]['text'] );
		$this->assertSame( array(), PostSecrets::find() );

		update_option( 'widget_text', array( 5 => array( 'text' => 'https://live.example.com/live/a.flv?secret=s2' ) ) );
		$this->assertStringContainsString( 'Widgets still hold other secrets.', PostSecrets::move() );
	}

	/** As it stands in the database: no filter of saving in between. */
	private static function written( string $content, string $type = 'post', int $parent = 0 ): int {
		global $wpdb;
		$id = self::post();
		$wpdb->update(
			$wpdb->posts,
			array(
				'post_content' => $content,
				'post_type'    => $type,
				'post_parent'  => $parent,
			),
			array( 'ID' => $id )
		);
		clean_post_cache( $id );
		return $id;
	}
}

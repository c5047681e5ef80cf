<?php
/**
 * Rooms: their elements, and who gets which token.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai\Tests;

use Lianmai\Base64Url;
use Lianmai\Capability;
use Lianmai\Room;
use Lianmai\Ticket;
use Lianmai\Token;

require_once __DIR__ . '/support/Site.php';
require_once __DIR__ . '/support/Markup.php';

final class RoomTest extends Site {
	private const SERVER = 'https://live.example.test:8443';

	/** The filters of contents: WordPress changes their order when a content has blocks. @var \WP_Hook */
	private $filters;

	protected function setUp(): void {
		parent::setUp();
		$this->filters = clone $GLOBALS['wp_filter']['the_content'];
		self::set_server( self::SERVER );
	}

	protected function tearDown(): void {
		$GLOBALS['wp_filter']['the_content'] = $this->filters;
		remove_all_filters( 'lianmai_room_role' );
		parent::tearDown();
	}

	/** The content of a new post as readers get it. */
	private static function page( string $content ): string {
		$GLOBALS['post'] = get_post( self::post( array( 'post_content' => wp_slash( $content ) ) ) );
		setup_postdata( $GLOBALS['post'] );
		return trim( (string) apply_filters( 'the_content', get_the_content() ) );
	}

	/** @return array<string, string> */
	private static function element( string $content ): array {
		return Markup::element( self::page( $content ) );
	}

	/** @dataProvider forms */
	public function test_shortcodes_and_blocks( string $content, string $tag, array $expected ): void {
		$html = self::page( $content );
		$this->assertSame( 1, preg_match( '~<div class="lianmai\b.*</div>~', $html, $box ) );
		$this->assertSame( array(), Markup::findings( $box[0] ) );
		$this->assertStringContainsString( "<$tag ", $html );
		$element = Markup::element( $html );
		foreach ( $expected as $name => $value ) {
			$this->assertSame( $value, $element[ $name ] ?? null, $name );
		}
	}

	/** @return array<string, array{string, string, array<string, string|null>}> */
	public static function forms(): array {
		$room = array(
			'room'       => 'friday-show',
			'server'     => self::SERVER,
			'data-token' => '',
			'roles'      => null,
		);
		return array(
			'a room'                    => array( '[srs_room room="friday-show" roles="editor"]', 'srs-audience', $room ),
			'with curly quotes'         => array( '[srs_room room=”friday-show”]', 'srs-audience', $room ),
			'with levels and a slash'   => array( '[srs_room room="a/安娜/"]', 'srs-audience', array( 'room' => 'a/安娜' ) ),
			'a block'                   => array( '<!-- wp:lianmai/room {"room":"friday-show","autoplay":true,"height":"600","title":"Friday night"} /-->', 'srs-audience', $room + array( 'autoplay' => '', 'title' => 'Friday night', 'in' => 'height:600px;' ) ),
			'a chat'                    => array( '[srs_chat room="friday-show" width="50%" height="300"]', 'srs-chat', $room + array( 'in' => 'width:50%;max-width:100%;height:300px;' ) ),
			'a chat as a block'         => array( '<!-- wp:lianmai/chat {"room":"friday-show"} /-->', 'srs-chat', $room ),
			'a list'                    => array( '[srs_rooms]', 'srs-room-list', array( 'server' => self::SERVER, 'prefix' => null, 'data-ticket' => null ) ),
			'a list as a block'         => array( '<!-- wp:lianmai/rooms /-->', 'srs-room-list', array( 'server' => self::SERVER ) ),
			// A token is for the server of the settings alone.
			'a room on another gateway' => array( '[srs_room room="a" server="https://other.example"]', 'srs-audience', array( 'room' => 'a', 'server' => 'https://other.example', 'data-ticket' => null, 'data-token' => null ) ),
		);
	}

	/** What is a room is hidden until the script knows who looks; the page is the same for everybody. */
	public function test_the_page_is_the_same_for_everybody(): void {
		$post            = self::post( array( 'post_content' => '[srs_room room="friday-show"][srs_chat room="friday-show"][srs_rooms]' ) );
		$GLOBALS['post'] = get_post( $post );
		setup_postdata( $GLOBALS['post'] );
		$seen = array();
		foreach ( array( 0, self::person( 'subscriber' ), self::person( 'author' ), 1 ) as $person ) {
			wp_set_current_user( $person );
			$seen[] = trim( (string) apply_filters( 'the_content', get_the_content() ) );
		}
		$this->assertCount( 1, array_unique( $seen ) );
		$this->assertMatchesRegularExpression( '~<div class="lianmai lianmai-room wp-block-lianmai-room" hidden><srs-audience ~', $seen[0] );
		$this->assertSame( 1, substr_count( $seen[0], ' hidden>' ) );
	}

	/** @dataProvider mistakes */
	public function test_mistakes_are_told_to_authors_alone( string $content, array $settings, string $sentence ): void {
		self::set_server( $settings['server'] ?? self::SERVER, $settings );
		$this->assertSame( '', trim( wp_strip_all_tags( self::page( $content ) ) ) );
		wp_set_current_user( 1 );
		$html = self::page( $content );
		$this->assertStringContainsString( $sentence, $html );
		$this->assertSame( 0, substr_count( $html, '<srs-' ) );
	}

	/** @return array<string, array{string, array<string, string>, string}> */
	public static function mistakes(): array {
		return array(
			'no room'           => array( '[srs_room]', array(), 'give the name of a room' ),
			'no room of a chat' => array( '[srs_chat room=""]', array(), 'give the name of a room' ),
			'no name'           => array( '[srs_room room="friday show"]', array(), '“friday show” is not the name of a room' ),
			'of the gateway'    => array( '[srs_room room="api/x"]', array(), 'is not the name of a room' ),
			'no server'         => array( '[srs_rooms]', array( 'server' => '' ), 'set the server' ),
			'another kind'      => array( '[srs_room room="a"]', array( 'kind' => 'secret' ), 'rooms need a Lianmai gateway' ),
			'too long'          => array( '[srs_room room="' . str_repeat( 'a', 60 ) . '"]', array( 'prefix' => 'a-site' ), 'is too long' ),
		);
	}

	/** Two sites on one gateway do not share rooms. */
	public function test_the_prefix_of_the_site_is_that_of_its_rooms(): void {
		self::set_server( self::SERVER, array( 'prefix' => 'news' ) );
		$this->assertSame( 'news/friday-show', self::element( '[srs_room room="friday-show"]' )['room'] );
		$this->assertSame( 'news/friday-show', self::element( '[srs_chat room="news/friday-show"]' )['room'] );
		$this->assertSame( 'news/newspaper', self::element( '[srs_room room="newspaper"]' )['room'] );
		$this->assertSame( 'news/', self::element( '[srs_rooms]' )['prefix'] );
		// Another gateway does not know the prefix.
		$this->assertSame( 'a', self::element( '[srs_room room="a" server="https://other.example"]' )['room'] );
		$bound = Ticket::read( self::element( '[srs_room room="friday-show" roles="editor" users="anna,12"]' )['data-ticket'] );
		$this->assertSame( array( 'news/friday-show', 'room' ), array( $bound['stream'], $bound['action'] ) );
		$this->assertSame( array( 'roles' => array( 'editor' ), 'users' => array( 'anna', '12' ) ), $bound['limits'] );
	}

	/** @dataProvider roles */
	public function test_roles( string $role, string $in_room ): void {
		$ticket = Ticket::make( self::post(), 'news/friday-show', 'room' );
		$person = self::person( $role );
		wp_update_user(
			array(
				'ID'           => $person,
				'display_name' => 'Anna & Bert',
			)
		);
		$nonce = self::log_in( $person );
		$may = self::ask( 'may', $ticket, $nonce )->get_data();
		$this->assertSame(
			array(
				'may'    => true,
				'stream' => 'news/friday-show',
				'role'   => $in_room,
				'name'   => 'Anna & Bert',
			),
			$may
		);
		$response = self::ask( 'token', $ticket, $nonce );
		$this->assertSame( 200, $response->get_status() );
		$claims = self::claims( $response->get_data()['token'] );
		$this->assertSame( array( 'iss', 'aud', 'sub', 'room', 'role', 'iat', 'exp', 'jti' ), array_keys( $claims ) );
		$this->assertSame(
			array( home_url(), 'lianmai', (string) $person, 'news/friday-show', $in_room, Token::LIFE ),
			array( $claims['iss'], $claims['aud'], $claims['sub'], $claims['room'], $claims['role'], $claims['exp'] - $claims['iat'] )
		);
		$again = self::claims( self::ask( 'token', $ticket, $nonce )->get_data()['token'] );
		$this->assertNotSame( $claims['jti'], $again['jti'], 'Each attempt has a token of its own.' );
		// It opens no stream, also at this site's own relay.
		foreach ( array( 'publish', 'play' ) as $action ) {
			$this->assertNull( Token::verify( $response->get_data()['token'], $action ) );
		}
	}

	/** @return array<int, array{string, string}> */
	public static function roles(): array {
		return array( array( 'subscriber', 'audience' ), array( 'contributor', 'audience' ), array( 'author', 'host' ), array( 'editor', 'host' ), array( 'administrator', 'host' ) );
	}

	public function test_visitors_and_programs_get_none(): void {
		$ticket = Ticket::make( self::post(), 'a', 'room' );
		foreach ( array( '', 'wrong' ) as $nonce ) {
			$this->assertSame( 'lianmai_login', self::ask( 'may', $ticket, $nonce )->get_data()['code'] );
			$this->assertSame( 401, self::ask( 'token', $ticket, $nonce )->get_status() );
		}
		// As WordPress is after an application password: a user, and no cookie.
		wp_set_current_user( 1 );
		$this->assertSame( 401, self::ask( 'token', $ticket, (string) wp_create_nonce( 'wp_rest' ) )->get_status() );
	}

	/** Where watching needs a token, visitors get one for what they may read. */
	public function test_visitors_of_a_gateway_that_wants_tokens_to_play(): void {
		self::set_server( self::SERVER, array( 'play_tokens' => true ) );
		$this->assertArrayHasKey( 'data-all', self::element( '[srs_room room="a"]' ) );
		$post = self::post();
		foreach ( array( 'room', 'chat' ) as $action ) {
			$may = self::ask( 'may', Ticket::make( $post, 'a', $action ) )->get_data();
			$this->assertSame( array( true, 'audience', '' ), array( $may['may'], $may['role'], $may['name'] ) );
			$claims = self::claims( self::ask( 'token', Ticket::make( $post, 'a', $action ) )->get_data()['token'] );
			$this->assertSame( array( '0', 'audience' ), array( $claims['sub'], $claims['role'] ) );
		}
		foreach ( array( array( 'post_password' => 'open' ), array( 'post_status' => 'private' ) ) as $fields ) {
			$this->assertSame( 401, self::ask( 'token', Ticket::make( self::post( $fields ), 'a', 'room' ) )->get_status() );
		}
		// Whoever may write drafts could name any room in one.
		$contributor = self::person( 'contributor' );
		$nonce       = self::log_in( $contributor );
		$draft       = self::post( array( 'post_status' => 'draft', 'post_author' => $contributor ) );
		$this->assertSame( 403, self::ask( 'token', Ticket::make( $draft, 'a', 'room' ), $nonce )->get_status() );
		$this->assertSame( 200, self::ask( 'token', Ticket::make( $post, 'a', 'room' ), $nonce )->get_status() );
	}

	public function test_a_chat_never_makes_a_host(): void {
		$nonce = self::log_in( 1 );
		$this->assertSame( 'audience', self::claims( self::ask( 'token', Ticket::make( self::post(), 'a', 'chat' ), $nonce )->get_data()['token'] )['role'] );
	}

	public function test_limits_narrow_who_hosts(): void {
		$author = self::person( 'author' );
		$login  = get_userdata( $author )->user_login;
		$nonce  = self::log_in( $author );
		$post   = self::post();
		$role   = static function ( array $limits ) use ( $post, $nonce ): string {
			return self::ask( 'may', Ticket::make( $post, 'a', 'room', $limits ), $nonce )->get_data()['role'];
		};
		$this->assertSame( 'audience', $role( array( 'roles' => 'editor' ) ) );
		$this->assertSame( 'audience', $role( array( 'users' => '?' ) ) );
		$this->assertSame( 'host', $role( array( 'roles' => 'editor', 'users' => $login ) ) );
	}

	public function test_the_post_must_be_there_for_the_person(): void {
		$nonce = self::log_in( self::person( 'author' ) );
		$trash = self::post();
		wp_trash_post( $trash );
		foreach ( array( 999999999, $trash, self::post( array( 'post_password' => 'open' ) ), self::post( array( 'post_status' => 'draft' ) ) ) as $post ) {
			$this->assertSame( 403, self::ask( 'token', Ticket::make( $post, 'a', 'room' ), $nonce )->get_status() );
		}
	}

	public function test_an_edited_page_takes_its_tickets_back(): void {
		$post   = self::post( array( 'post_date' => '2020-01-01 00:00:00' ) );
		$nonce  = self::log_in( 1 );
		$ticket = Ticket::make( $post, 'a', 'room' );
		$this->assertSame( 200, self::ask( 'token', $ticket, $nonce )->get_status() );
		wp_update_post( array( 'ID' => $post, 'post_content' => 'Over.' ) );
		$this->assertSame( 'lianmai_ticket', self::ask( 'may', $ticket, $nonce )->get_data()['code'] );
		$this->assertSame( 400, self::ask( 'token', $ticket, $nonce )->get_status() );
	}

	public function test_a_filter_decides(): void {
		$post  = self::post();
		$asked = array();
		$says  = 'guest';
		add_filter(
			'lianmai_room_role',
			static function ( $role, $user, $room, $id ) use ( &$asked, &$says ) {
				$asked = array( $role, $user->ID, $room, $id );
				return $says;
			},
			10,
			4
		);
		$person = self::person( 'subscriber' );
		$nonce  = self::log_in( $person );
		$ticket = Ticket::make( $post, 'a', 'room' );
		$this->assertSame( 'guest', self::claims( self::ask( 'token', $ticket, $nonce )->get_data()['token'] )['role'] );
		$this->assertSame( array( 'audience', $person, 'a', $post ), $asked );
		foreach ( array( '', null, 'waiting', 'owner', array( 'host' ) ) as $says ) {
			$this->assertSame( 403, self::ask( 'token', $ticket, $nonce )->get_status() );
			$this->assertFalse( self::ask( 'may', $ticket, $nonce )->get_data()['may'] );
		}
	}

	public function test_tokens_are_not_given_in_a_loop(): void {
		$nonce  = self::log_in( 1 );
		$ticket = Ticket::make( self::post(), 'a', 'room' );
		for ( $i = 0; $i < 60; $i++ ) {
			$status = self::ask( 'token', $ticket, $nonce )->get_status();
		}
		$this->assertContains( $status, array( 200, 429 ) );
		$this->assertSame( 429, self::ask( 'token', $ticket, $nonce )->get_status() );
		// Going live is counted apart.
		$this->assertSame( 200, self::ask( 'token', Ticket::make( self::post(), 'a/b', 'publish' ), $nonce )->get_status() );
	}

	/** The gateway takes 1 to 40 characters, none of them hidden. */
	public function test_names_of_people(): void {
		$user = new \WP_User( (object) array( 'ID' => 7, 'user_nicename' => 'anna' ) );
		foreach ( array( 'Anna' => 'Anna', '安娜' => '安娜', "  A\u{202e}b\tc " => 'A b c', 'A &amp; B' => 'A & B', str_repeat( 'é', 50 ) => str_repeat( 'é', 40 ), '' => 'anna', "\u{200b}" => 'anna' ) as $display => $name ) {
			$user->data->display_name = (string) $display;
			$this->assertSame( $name, Room::name_of( $user ) );
		}
		$user->data->user_nicename = '';
		$this->assertSame( '7', Room::name_of( $user ) );
	}

	/** As the gateway's own test. */
	public function test_names_of_rooms(): void {
		foreach ( array( 'friday-show', 'live', '安娜', 'site/show', 'a.b' ) as $name ) {
			$this->assertTrue( Room::is_name( $name ), $name );
		}
		foreach ( array( '', '/', 'a/', '/a', 'a//b', '..', 'a/../b', '.a', 'a b', 'a%2Fb', 'a?b', 'api', 'api/x', 'rtc', str_repeat( 'x', 65 ) ) as $name ) {
			$this->assertFalse( Room::is_name( $name ), $name );
		}
	}

	/** Version 0.1.0 knew the right to publish alone. */
	public function test_the_right_to_host_follows_the_right_to_publish(): void {
		foreach ( array( 'author', 'editor', 'administrator', 'subscriber' ) as $role ) {
			get_role( $role )->remove_cap( Capability::HOST );
		}
		get_role( 'author' )->remove_cap( Capability::NAME );
		get_role( 'subscriber' )->add_cap( Capability::NAME );
		update_option( Capability::GIVEN, 1 );
		Capability::give();
		$this->assertFalse( get_role( 'author' )->has_cap( Capability::HOST ) );
		$this->assertFalse( get_role( 'author' )->has_cap( Capability::NAME ), 'What a role editor took stays so.' );
		$this->assertTrue( get_role( 'subscriber' )->has_cap( Capability::HOST ) );
		get_role( 'editor' )->remove_cap( Capability::HOST );
		Capability::give();
		$this->assertFalse( get_role( 'editor' )->has_cap( Capability::HOST ), 'It is given once.' );
	}

	/** @return array<string, mixed> */
	private static function claims( string $token ): array {
		return json_decode( (string) Base64Url::decode( explode( '.', $token )[1] ), true );
	}
}
